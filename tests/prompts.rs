//! The spoken prompts: every one that can be asked for is there, as the manifest says, in a form
//! that a telephone line takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lineclear::alert::prompt::Prompt;
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Debug, Deserialize)]
struct Manifest {
    prompt: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    id: String,
    text: String,
    seconds: f64,
    sha256_8k: String,
    sha256_16k: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prompts")
}

fn entries() -> BTreeMap<String, Entry> {
    let text = std::fs::read_to_string(folder().join("manifest.toml")).expect("the manifest");
    let manifest: Manifest = toml::from_str(&text).expect("a manifest");
    manifest.prompt.into_iter().map(|entry| (entry.id.clone(), entry)).collect()
}

#[test]
fn every_prompt_that_can_be_asked_for_is_in_the_manifest_and_no_other() {
    let asked: BTreeSet<_> = Prompt::all().iter().map(|prompt| prompt.name().to_owned()).collect();
    let listed: BTreeSet<_> = entries().into_keys().collect();
    assert_eq!(asked, listed);
}

#[test]
fn the_recordings_are_those_of_the_manifest() {
    for (id, entry) in entries() {
        for (rate, sha256) in [(8000_u32, &entry.sha256_8k), (16_000, &entry.sha256_16k)] {
            let path = folder().join(format!("{}k/{id}.wav", rate / 1000));
            let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let digest: String =
                Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(digest, *sha256, "{}", path.display());
            let sound = hound::WavReader::new(bytes.as_slice()).expect("a WAV file");
            let form = sound.spec();
            assert_eq!((form.channels, form.sample_rate, form.bits_per_sample), (1, rate, 16));
            let seconds = f64::from(sound.duration()) / f64::from(rate);
            assert!((seconds - entry.seconds).abs() < 0.1 && seconds < 12.0, "{id}: {seconds}");
        }
    }
}

#[test]
fn no_prompt_promises_safety_and_each_warning_says_may_be_a_scam() {
    for (id, entry) in entries() {
        let text = entry.text.to_lowercase();
        assert!(!text.contains("is safe") && !text.contains("your fault"), "{id}");
        if id.starts_with("warning") {
            assert!(text.contains("may be a scam"), "{id}");
        }
        if id.starts_with("line-held") {
            assert!(text.contains("another phone") && text.contains("emergency"), "{id}");
        }
    }
}
