//! The list of models, read from the manifest that is built into the program.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

const EMBEDDED: &str = include_str!("../../../models/manifest.toml");

/// Something that is loaded at run time and fetched as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// The library that runs the other three.
    Runtime,
    /// Voice activity: tells speech from silence.
    Voice,
    /// The small recogniser, for a gateway.
    Tiny,
    /// The larger recogniser, for a server; it is converted on this machine after the download.
    Base,
}

impl Model {
    /// Every model, in the order in which a list shows them.
    pub const ALL: [Self; 4] = [Self::Runtime, Self::Voice, Self::Tiny, Self::Base];

    /// The name, which is also that of its directory in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Voice => "voice",
            Self::Tiny => "tiny",
            Self::Base => "base",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let known = Self::ALL.into_iter().find(|model| model.name() == name);
        known.ok_or_else(|| UnknownModel(name.to_owned()))
    }
}

/// A name that is none of the models'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no model is called `{0}`: the models are runtime, voice, tiny and base")]
pub struct UnknownModel(pub String);

/// A file that can only be this one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PinnedFile {
    /// Its name in the model's directory, without any path.
    pub name: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
}

/// A file inside a wheel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WheelFile {
    /// Its path inside the wheel.
    pub path: String,
    /// Its name in the model's directory, without any path.
    pub name: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub size: u64,
    /// True if the file only feeds the conversion and is not kept.
    #[serde(default)]
    pub convert: bool,
}

impl WheelFile {
    /// What the file must be once it is unpacked.
    pub fn pin(&self) -> PinnedFile {
        PinnedFile { name: self.name.clone(), sha256: self.sha256.clone(), size: self.size }
    }
}

/// How the files marked `convert` become the ones that are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Conversion {
    /// The oldest Python the requirements install on, as `major.minor`.
    pub python: String,
    /// Every package of the virtual environment, each as `name==version`.
    pub requirements: Vec<String>,
    /// What the conversion writes.
    pub files: Vec<PinnedFile>,
}

/// A published package that holds a model's files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Wheel {
    /// The model it holds.
    pub model: Model,
    /// The architecture it is for, as in [`std::env::consts::ARCH`]; none if it is for all.
    pub arch: Option<String>,
    /// The package's name.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The licence of the files, as an SPDX expression.
    pub licence: String,
    /// Where the files come from, for people.
    pub source: String,
    /// The wheel's file name.
    pub file: String,
    /// The wheel's SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The wheel's size in bytes.
    pub size: u64,
    /// The Python version to ask `pip` for.
    pub python: String,
    /// The ABI tag to ask `pip` for.
    pub abi: String,
    /// The platform tag to ask `pip` for.
    pub platform: String,
    /// The files that matter in the wheel.
    pub files: Vec<WheelFile>,
    /// The conversion that follows, if any.
    pub conversion: Option<Conversion>,
}

impl Wheel {
    /// The files in the model's directory once it is complete.
    pub fn installed(&self) -> Vec<PinnedFile> {
        let kept = self.files.iter().filter(|file| !file.convert);
        let converted = self.conversion.iter().flat_map(|c| c.files.iter().cloned());
        converted.chain(kept.map(WheelFile::pin)).collect()
    }

    fn fits(&self, arch: &str) -> bool {
        // The library is a Linux one; data alone would do on any system.
        let runs = |name: &String| name == arch && cfg!(target_os = "linux");
        self.arch.as_ref().is_none_or(runs)
    }
}

/// Everything that can be fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(default)]
    wheel: Vec<Wheel>,
}

impl Manifest {
    /// The manifest in the program. A test holds that it parses; were it broken all the same, it
    /// would be empty, and no model be supported.
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED).unwrap_or_default()
    }

    /// Reads a manifest.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The wheel of a model for an architecture, none if there is none.
    pub fn wheel(&self, model: Model, arch: &str) -> Option<&Wheel> {
        let mut of_model = self.wheel.iter().filter(|wheel| wheel.model == model);
        of_model.find(|wheel| wheel.fits(arch))
    }

    /// The files that make up a model, by name, on whatever architecture.
    pub fn names(&self, model: Model) -> Vec<String> {
        let any = self.wheel.iter().find(|wheel| wheel.model == model);
        let files = any.map(Wheel::installed).unwrap_or_default();
        files.into_iter().map(|file| file.name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_pin(file: &PinnedFile) {
        assert!(!file.name.is_empty() && !file.name.contains('/'), "{file:?}");
        assert!(!file.name.starts_with('.') && file.size > 0, "{file:?}");
        assert_hash(&file.sha256);
    }

    fn assert_hash(hash: &str) {
        let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(hash.len() == 64 && hash.bytes().all(lower_hex), "{hash}");
    }

    #[test]
    fn every_model_has_files_on_both_architectures() {
        let manifest = Manifest::parse(EMBEDDED).expect("the manifest parses");
        assert_eq!(manifest, Manifest::embedded());
        for (model, arch) in Model::ALL.into_iter().flat_map(|m| [(m, "x86_64"), (m, "aarch64")]) {
            let wheel = manifest.wheel(model, arch).expect("a wheel");
            assert_hash(&wheel.sha256);
            assert!(wheel.size > 0 && wheel.file.ends_with(".whl"), "{model} {arch}");
            assert!(!wheel.installed().is_empty(), "{model} {arch}");
            wheel.installed().iter().for_each(assert_pin);
            wheel.files.iter().for_each(|file| assert_pin(&file.pin()));
            let converts = wheel.files.iter().any(|file| file.convert);
            assert_eq!(converts, wheel.conversion.is_some(), "{model} {arch}");
        }
        assert!(manifest.wheel(Model::Runtime, "riscv64").is_none());
    }

    #[test]
    fn base_keeps_only_what_it_loads() {
        let names = Manifest::embedded().names(Model::Base);
        assert_eq!(names, ["encoder_model.onnx", "decoder_model_merged.onnx", "tokenizer.bin"]);
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(Manifest::parse("[[wheels]]\n").is_err());
    }

    #[test]
    fn names_go_both_ways() {
        for model in Model::ALL {
            assert_eq!(model.to_string().parse(), Ok(model));
        }
        assert!("large".parse::<Model>().is_err());
    }
}
