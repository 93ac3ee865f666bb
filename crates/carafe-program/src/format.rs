//! The cookie format of a command, with the settings that both sides must agree on.

use std::time::Duration;

use carafe_core::{
    json::JsonDialect,
    key::{Digest, KeyDerivation},
    token::signed::{SignedFormat, SignerSettings},
};
use clap::ValueEnum;

use crate::failure::Failure;

const DAY: u64 = 24 * 60 * 60;

/// A format with all its settings, except for keys.
#[derive(Clone, Debug)]
pub enum TokenFormat {
    /// The format of itsdangerous.
    Signed {
        name: FormatName,
        format: SignedFormat,
        /// The same settings for the signature alone.
        signer: SignerSettings,
    },
    /// Carafe's encrypted format, bound to both texts of the context. `None` if the cookie is not
    /// decrypted.
    Encrypted { context: Option<Context> },
}

/// The texts that an encrypted cookie is bound to, in addition to its key.
#[derive(Clone, Debug)]
pub struct Context {
    pub application: String,
    pub cookie_name: String,
}

/// The names of the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Flask 2.2 and later
    Flask,
    /// Starlette and FastAPI
    Starlette,
    /// Quart: Flask's format, with unsorted dictionary keys
    Quart,
    /// Carafe's encrypted cookies
    Encrypted,
}

/// The format options of a command.
#[derive(clap::Args)]
#[command(next_help_heading = "Format")]
pub struct FormatArgs {
    /// The format of the cookie
    #[arg(long, value_enum, default_value_t = FormatName::Flask)]
    format: FormatName,

    /// A different salt than the default of the format ("cookie-session" in Flask)
    #[arg(long, value_name = "S")]
    salt: Option<String>,

    /// A different key derivation
    #[arg(long, value_enum, value_name = "D")]
    key_derivation: Option<DerivationName>,

    /// A different hash than SHA-1
    #[arg(long, value_enum, value_name = "H")]
    digest: Option<DigestName>,

    /// The application that an encrypted cookie belongs to
    #[arg(long, value_name = "NAME")]
    application: Option<String>,

    /// The cookie's name. An encrypted cookie is bound to it. In a cookie given as `NAME=value`,
    /// the name is removed
    #[arg(long, value_name = "NAME")]
    pub cookie_name: Option<String>,
}

/// itsdangerous' key derivations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DerivationName {
    Hmac,
    Concat,
    DjangoConcat,
    None,
}

/// The hashes of itsdangerous that are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DigestName {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl FormatName {
    /// Returns the name, as in options and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flask => "flask",
            Self::Starlette => "starlette",
            Self::Quart => "quart",
            Self::Encrypted => "encrypted",
        }
    }
}

impl TokenFormat {
    /// Returns Flask's format with its default settings.
    pub fn flask() -> Self {
        Self::signed(
            FormatName::Flask,
            SignedFormat::flask(),
            Settings::FLASK.signer(),
        )
    }

    pub fn encrypted(application: &str, cookie_name: &str) -> Self {
        let (application, cookie_name) = (application.to_owned(), cookie_name.to_owned());
        Self::Encrypted {
            context: Some(Context {
                application,
                cookie_name,
            }),
        }
    }

    pub const fn name(&self) -> FormatName {
        match self {
            Self::Signed { name, .. } => *name,
            Self::Encrypted { .. } => FormatName::Encrypted,
        }
    }

    /// Returns the JSON dialect of the payload.
    pub const fn style(&self) -> JsonDialect {
        match self {
            Self::Signed { format, .. } => format.style(),
            Self::Encrypted { .. } => JsonDialect::FLASK,
        }
    }

    /// Returns the default lifetime of the framework's cookies. Encrypted cookies contain their
    /// lifetime.
    pub const fn default_max_age(&self) -> Option<Duration> {
        match self.name() {
            FormatName::Flask | FormatName::Quart => Some(Duration::from_secs(31 * DAY)),
            FormatName::Starlette => Some(Duration::from_secs(14 * DAY)),
            FormatName::Encrypted => None,
        }
    }

    fn signed(name: FormatName, format: SignedFormat, signer: SignerSettings) -> Self {
        let format = format
            .with_salt(signer.salt.clone())
            .with_key_derivation(signer.key_derivation)
            .with_digest(signer.digest);
        Self::Signed {
            name,
            format,
            signer,
        }
    }
}

impl FormatArgs {
    /// Returns the format that the options select.
    pub fn resolve(&self) -> Result<TokenFormat, Failure> {
        match self.format {
            FormatName::Encrypted => self.encrypted(),
            FormatName::Starlette => self.signed(SignedFormat::starlette(), &Settings::STARLETTE),
            FormatName::Flask => self.signed(SignedFormat::flask(), &Settings::FLASK),
            FormatName::Quart => self.signed(SignedFormat::quart(), &Settings::FLASK),
        }
    }

    fn signed(&self, format: SignedFormat, preset: &Settings) -> Result<TokenFormat, Failure> {
        if self.application.is_some() {
            return Err(Failure::usage("--application is for --format encrypted"));
        }
        let mut signer = preset.signer();
        if let Some(salt) = &self.salt {
            signer.salt = salt.clone().into();
        }
        signer.key_derivation = self
            .key_derivation
            .map_or(signer.key_derivation, DerivationName::meaning);
        signer.digest = self.digest.map_or(signer.digest, DigestName::meaning);
        Ok(TokenFormat::signed(self.format, format, signer))
    }

    fn encrypted(&self) -> Result<TokenFormat, Failure> {
        if self.salt.is_some() || self.key_derivation.is_some() || self.digest.is_some() {
            return Err(Failure::usage(
                "--salt, --key-derivation and --digest are for signed formats",
            ));
        }
        let context = match (&self.application, &self.cookie_name) {
            (Some(application), Some(cookie_name)) => Some(Context {
                application: application.clone(),
                cookie_name: cookie_name.clone(),
            }),
            _ => None,
        };
        Ok(TokenFormat::Encrypted { context })
    }
}

/// The settings in which the signatures of the formats differ.
struct Settings {
    salt: &'static str,
    derivation: KeyDerivation,
}

impl Settings {
    const FLASK: Self = Self {
        salt: "cookie-session",
        derivation: KeyDerivation::Hmac,
    };
    const STARLETTE: Self = Self {
        salt: "itsdangerous.Signer",
        derivation: KeyDerivation::DjangoConcat,
    };

    fn signer(&self) -> SignerSettings {
        SignerSettings {
            key_derivation: self.derivation,
            ..SignerSettings::with_salt(self.salt)
        }
    }
}

impl DerivationName {
    const fn meaning(self) -> KeyDerivation {
        match self {
            Self::Hmac => KeyDerivation::Hmac,
            Self::Concat => KeyDerivation::Concat,
            Self::DjangoConcat => KeyDerivation::DjangoConcat,
            Self::None => KeyDerivation::None,
        }
    }
}

impl DigestName {
    const fn meaning(self) -> Digest {
        match self {
            Self::Sha1 => Digest::Sha1,
            Self::Sha256 => Digest::Sha256,
            Self::Sha384 => Digest::Sha384,
            Self::Sha512 => Digest::Sha512,
        }
    }
}
