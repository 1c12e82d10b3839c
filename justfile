# List the recipes
default:
    @just --list --unsorted

# All that must hold before a commit: form, lints, tests
check:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    cargo test --locked

# Bring the sources into form
fmt:
    cargo fmt

# Play a spoken scam call through the real pipeline (`just demo --fast` does not wait)
demo *options:
    cargo run --release --locked -- demo {{ options }}

# Measure speed
bench *options:
    cargo bench --locked {{ options }}

# Measure the rules on corpora of labelled calls
eval +corpora:
    cargo run --release --locked -- eval {{ corpora }}
