//! Fetches from a Python that is a shell script, with wheels made on the spot.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::digest;
use super::manifest::Manifest;
use super::{Model, ModelError, Status, Store};

const TINY_WHEEL: &str = "tiny-1.0-py3-none-any.whl";
const VOICE_WHEEL: &str = "voice-1.0-py3-none-any.whl";

/// A published world of two models, and a store to fetch them into.
struct World {
    root: TempDir,
    manifest: String,
}

impl World {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a directory");
        for name in ["published", "bin"] {
            fs::create_dir(root.path().join(name)).expect("a directory");
        }
        let mut world = Self { root, manifest: String::new() };
        world.publish(Model::Tiny, TINY_WHEEL, b"the tiny model", 14);
        world.publish(Model::Voice, VOICE_WHEEL, b"the voice model", 15);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Publishes a wheel with one file, and adds both to the manifest.
    fn publish(&mut self, model: Model, wheel: &str, content: &[u8], pinned_size: u64) {
        let path = self.path("published").join(wheel);
        let mut zip = ZipWriter::new(File::create(&path).expect("a file"));
        for entry in ["package/model.bin", "package/not_listed.py"] {
            zip.start_file(entry, SimpleFileOptions::default()).expect("an entry");
            zip.write_all(content).expect("written");
        }
        zip.finish().expect("finished");
        let plain = self.path("content");
        fs::write(&plain, content).expect("written");
        let pin = |path: &Path| digest::of_file(path).expect("hashed");
        let (outer, inner) = (pin(&path), pin(&plain));
        self.manifest += &format!(
            "[[wheel]]\nmodel = \"{model}\"\npackage = \"{model}\"\nversion = \"1.0\"\n\
             licence = \"MIT\"\nsource = \"a test\"\nfile = \"{wheel}\"\nsha256 = \"{}\"\n\
             size = {}\npython = \"3.11\"\nabi = \"none\"\nplatform = \"any\"\n\
             [[wheel.files]]\npath = \"package/model.bin\"\nname = \"model.bin\"\n\
             sha256 = \"{}\"\nsize = {pinned_size}\n",
            outer.sha256, outer.size, inner.sha256
        );
    }

    /// A store whose Python says it has pip, notes each download and then does as the script says.
    /// The script finds the wheels in `$published` and is to put them into `$into`.
    fn store(&self, download: &str) -> Store {
        let script = format!(
            "#!/bin/sh\n\
             case \"$*\" in *--version*) echo 'pip 25.1 from /x (python 3.9)'; exit 0;; esac\n\
             echo \"$*\" >> '{}'\npublished='{}'\n\
             while [ $# -gt 0 ]; do case $1 in -d) into=$2;; -r) wanted=$2;; esac; shift; done\n\
             {download}\n",
            self.path("calls").display(),
            self.path("published").display(),
        );
        let text = self.path("script");
        fs::write(&text, script).expect("written");
        let python = self.path("bin/python3");
        // Not written by this process: a child of another test's might hold it open for writing
        // at the moment it is to be run, which the kernel refuses.
        let mut install = Command::new("install");
        let installed = install.args(["-m", "755"]).arg(&text).arg(&python).status();
        assert!(installed.expect("install runs").success());
        let manifest = Manifest::parse(&self.manifest).expect("a manifest");
        let store = Store::at(self.path("store")).with_python(python);
        store.with_manifest(manifest)
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

const WORKS: &str = "name=$(cut -d= -f1 \"$wanted\"); cp \"$published/$name\"-* \"$into\"";
const BOTH: [Model; 2] = [Model::Tiny, Model::Voice];

fn quietly(store: &Store, models: &[Model]) -> Result<(), ModelError> {
    store.fetch(models, &mut |_| {})
}

fn message(result: Result<(), ModelError>) -> String {
    result.expect_err("an error").to_string()
}

#[test]
fn a_fetch_puts_the_listed_files_into_place_and_nothing_else() {
    let world = World::new();
    let store = world.store(WORKS);
    let mut told = Vec::new();
    let models = [Model::Tiny, Model::Voice, Model::Tiny];
    let fetched = store.fetch(&models, &mut |step| told.push(format!("{step:?}")));
    fetched.expect("fetched");
    assert_eq!(world.calls().len(), 2);
    assert!(world.calls()[0].contains("--require-hashes"));
    assert!(world.calls()[0].contains("--resume-retries 5"));
    assert_eq!(store.status(Model::Tiny), Status::Present);
    let dir = store.require(Model::Tiny).expect("present");
    assert_eq!(fs::read(dir.join("model.bin")).expect("read"), b"the tiny model");
    assert_eq!(fs::read_dir(&dir).expect("listed").count(), 1);
    assert!(!store.dir().join(".staging").exists());
    assert!(told.iter().any(|step| step == "Done { model: Tiny, fetched: true }"));
    quietly(&store, &models).expect("nothing to do");
    assert_eq!(world.calls().len(), 2);
}

#[test]
fn what_is_missing_is_named_with_the_remedy() {
    let world = World::new();
    let store = world.store(WORKS);
    let error = message(store.require(Model::Tiny).map(drop));
    assert!(error.contains("store/tiny/model.bin"), "{error}");
    assert!(error.contains("`lineclear model fetch tiny`"), "{error}");
    assert!(!store.dir().exists());
}

#[test]
fn a_corrupted_file_is_named_and_fetched_again() {
    let world = World::new();
    let store = world.store(WORKS);
    quietly(&store, &[Model::Tiny]).expect("fetched");
    let file = store.model_dir(Model::Tiny).join("model.bin");
    fs::write(&file, b"the tiny mOdel").expect("written");
    assert_eq!(store.status(Model::Tiny), Status::Present);
    let error = message(store.verify(Model::Tiny));
    assert!(error.contains("tiny/model.bin is not the published file"), "{error}");
    quietly(&store, &[Model::Tiny]).expect("fetched");
    store.verify(Model::Tiny).expect("whole again");
}

#[test]
fn the_last_line_of_pip_is_in_the_error() {
    let world = World::new();
    let store = world.store("echo 'WARNING: old' >&2; echo 'ERROR: no route to host' >&2; exit 1");
    let error = message(quietly(&store, &[Model::Tiny]));
    let expected = "pip could not download tiny 1.0: ERROR: no route to host: check the network";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_full_disk_is_told_as_one() {
    let world = World::new();
    let store = world.store("echo 'ERROR: [Errno 28] No space left on device' >&2; exit 1");
    let result = quietly(&store, &[Model::Tiny]);
    assert!(matches!(result, Err(ModelError::DiskFull { .. })), "{result:?}");
}

#[test]
fn without_python_the_message_tells_what_to_install_or_copy() {
    let world = World::new();
    let store = world.store(WORKS).with_python(world.path("bin/none"));
    let error = message(quietly(&store, &[Model::Tiny]));
    assert!(error.contains("install python3 with pip, or copy the files listed by"), "{error}");
    assert!(error.ends_with(&store.dir().display().to_string()), "{error}");
}

#[test]
fn an_interrupted_fetch_goes_on_by_the_package() {
    let world = World::new();
    let broken_off = "cd \"$into\"; grep -q tiny \"$wanted\" && cp \"$published\"/tiny-* . || \
                      { printf PK > voice-1.0-py3-none-any.whl; exit 1; }";
    let store = world.store(broken_off);
    assert!(quietly(&store, &BOTH).is_err());
    assert_eq!(store.status(Model::Tiny), Status::Present);
    assert!(matches!(store.status(Model::Voice), Status::Missing { .. }));
    let store = world.store(WORKS);
    quietly(&store, &BOTH).expect("fetched");
    assert_eq!(world.calls().len(), 3);
    assert_eq!(store.status(Model::Voice), Status::Present);
}

#[test]
fn a_complete_wheel_in_the_staging_directory_is_not_downloaded_again() {
    let world = World::new();
    let store = world.store("exit 1");
    let wheels = store.dir().join(".staging/wheels");
    fs::create_dir_all(&wheels).expect("made");
    fs::copy(world.path("published").join(TINY_WHEEL), wheels.join(TINY_WHEEL)).expect("copied");
    quietly(&store, &[Model::Tiny]).expect("fetched");
    assert!(world.calls().is_empty());
}

#[test]
fn two_fetches_at_once_download_once() {
    let world = World::new();
    let store = world.store(&format!("sleep 0.3; {WORKS}"));
    thread::scope(|scope| {
        let fetches: Vec<_> = (0..2).map(|_| scope.spawn(|| quietly(&store, &BOTH))).collect();
        for fetch in fetches {
            fetch.join().expect("joined").expect("fetched");
        }
    });
    assert_eq!(world.calls().len(), 2);
    BOTH.iter().for_each(|&model| store.verify(model).expect("whole"));
}

#[test]
fn a_wheel_with_other_content_is_refused_and_removed() {
    let world = World::new();
    let store = world.store(
        "for f in \"$published\"/*; do cp \"$published\"/voice-* \
                             \"$into/tiny-1.0-py3-none-any.whl\"; done",
    );
    let error = message(quietly(&store, &[Model::Tiny]));
    assert!(error.contains("is not the published file of `tiny`"), "{error}");
    assert!(!store.dir().join(".staging/wheels").join(TINY_WHEEL).exists());
}

#[test]
fn an_entry_larger_than_its_pin_is_refused() {
    let mut world = World::new();
    let wheel = "base-1.0-py3-none-any.whl";
    world.publish(Model::Base, wheel, &[0; 1_000_000], 1000);
    let store = world.store(WORKS);
    let error = message(quietly(&store, &[Model::Base]));
    assert!(error.contains("holds 1000000 bytes, more than the 1000 it may"), "{error}");
    assert!(!store.model_dir(Model::Base).exists());
    assert!(!store.dir().join(".staging/fresh").exists());
}

#[test]
fn an_old_python_is_refused_before_the_download() {
    let mut world = World::new();
    world.publish(Model::Base, "base-1.0-py3-none-any.whl", b"raw", 3);
    world.manifest += "[wheel.conversion]\npython = \"3.11\"\nrequirements = []\nfiles = []\n";
    let store = world.store(WORKS);
    let error = message(quietly(&store, &[Model::Base]));
    assert!(error.contains("is version 3.9, but converting `base` needs 3.11"), "{error}");
    assert!(world.calls().is_empty());
}

#[test]
fn without_the_venv_module_the_message_tells_what_to_install() {
    let mut world = World::new();
    world.publish(Model::Base, "base-1.0-py3-none-any.whl", b"raw", 3);
    world.manifest += "[wheel.conversion]\npython = \"3.8\"\nrequirements = []\nfiles = []\n";
    let no_venv = "[ -z \"$into\" ] && { echo 'ensurepip is not available'; exit 1; }";
    let store = world.store(&format!("{no_venv}; {WORKS}"));
    let error = message(quietly(&store, &[Model::Base]));
    assert!(error.contains("(ensurepip is not available): install the venv module"), "{error}");
    assert!(!store.dir().join(".staging/work").exists());
}
