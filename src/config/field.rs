//! The kinds of value: how each is read, what its bound is, how it is shown.

use std::ffi::OsStr;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use stockade_protocol::hello::Durability;
use toml::de::DeValue;

use super::values::{Config, Level, MEBIBYTE_BYTES, Token};

/// A value as it was written, before its key is asked what it must be.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// In a file.
    Toml(&'a DeValue<'a>),
    /// In the environment or as a flag: one text, whatever the kind.
    Outside(&'a OsStr),
}

/// Where in a [`Config`] a value stands.
pub(super) struct Place<T> {
    pub(super) get: fn(&Config) -> &T,
    pub(super) get_mut: fn(&mut Config) -> &mut T,
}

/// What a key holds, its bound and its place.
pub(super) enum Field {
    Address(Place<SocketAddr>),
    Number(RangeInclusive<u32>, Place<u32>),
    PowerOfTwo(RangeInclusive<u32>, Place<u32>),
    Milliseconds(RangeInclusive<u64>, Place<Duration>),
    Mebibytes(RangeInclusive<u64>, Place<u64>),
    Folder(Place<PathBuf>),
    Durability(Place<Durability>),
    Level(Place<Level>),
    Switch(Place<bool>),
    Tokens(Place<Vec<Token>>),
}

/// A value as the file would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A number in the unit of its key.
    Number(u64),
    /// A text.
    Text(String),
    /// Yes or no.
    Switch(bool),
    /// That many secrets.
    Hidden(usize),
}

impl Field {
    /// Whether its values are never repeated.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Field::Tokens(_))
    }

    /// Puts `given` in its place; when it cannot stand there, leaves it and says what could.
    pub(super) fn assign(&self, config: &mut Config, given: Given<'_>) -> Result<(), String> {
        let taken = match self {
            Field::Address(place) => put(config, place, given.text().and_then(|text| text.parse().ok())),
            Field::Number(range, place) => put(config, place, given.within(range)),
            Field::PowerOfTwo(range, place) => {
                put(config, place, given.within(range).filter(|number: &u32| number.is_power_of_two()))
            }
            Field::Milliseconds(range, place) => put(config, place, given.within(range).map(Duration::from_millis)),
            Field::Mebibytes(range, place) => {
                put(config, place, given.within(range).map(|number: u64| number * MEBIBYTE_BYTES))
            }
            Field::Folder(place) => put(config, place, given.path()),
            Field::Durability(place) => put(config, place, given.text().and_then(Durability::from_name)),
            Field::Level(place) => put(config, place, given.text().and_then(Level::from_name)),
            Field::Switch(place) => put(config, place, given.switch()),
            Field::Tokens(place) => put(config, place, given.tokens()),
        };
        taken.ok_or_else(|| format!("must be {}", self.bound()))
    }

    /// What the value must be.
    pub(super) fn bound(&self) -> String {
        match self {
            Field::Address(_) => "an IP address with a port, such as \"127.0.0.1:7400\"".to_owned(),
            Field::Number(range, _) => format!("a whole number from {} to {}", range.start(), range.end()),
            Field::PowerOfTwo(range, _) => format!("a power of two from {} to {}", range.start(), range.end()),
            Field::Milliseconds(range, _) => {
                format!("a whole number from {} to {}, in milliseconds", range.start(), range.end())
            }
            Field::Mebibytes(range, _) => format!("a whole number from {} to {}, in MiB", range.start(), range.end()),
            Field::Folder(_) => "the path of a folder, such as \"/var/lib/stockade\"".to_owned(),
            Field::Durability(_) => one_of(Durability::ALL.map(Durability::name)),
            Field::Level(_) => one_of(Level::ALL.map(Level::name)),
            Field::Switch(_) => "true or false".to_owned(),
            Field::Tokens(_) => format!(
                "a list of tokens of {} to {} printable ASCII characters without space and comma, none twice",
                Token::BYTES_MIN,
                Token::BYTES_MAX
            ),
        }
    }

    /// The value that stands in `config`.
    pub(super) fn show(&self, config: &Config) -> Shown {
        match self {
            Field::Address(place) => Shown::Text((place.get)(config).to_string()),
            Field::Number(_, place) | Field::PowerOfTwo(_, place) => Shown::Number(u64::from(*(place.get)(config))),
            Field::Milliseconds(_, place) => {
                let milliseconds = (place.get)(config).as_millis();
                Shown::Number(u64::try_from(milliseconds).expect("the key's range keeps it far below"))
            }
            Field::Mebibytes(_, place) => Shown::Number((place.get)(config) / MEBIBYTE_BYTES),
            Field::Folder(place) => Shown::Text((place.get)(config).to_string_lossy().into_owned()),
            Field::Durability(place) => Shown::Text((place.get)(config).name().to_owned()),
            Field::Level(place) => Shown::Text((place.get)(config).name().to_owned()),
            Field::Switch(place) => Shown::Switch(*(place.get)(config)),
            Field::Tokens(place) => Shown::Hidden((place.get)(config).len()),
        }
    }
}

impl<'a> Given<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Given::Toml(value) => value.as_str(),
            Given::Outside(text) => text.to_str(),
        }
    }

    fn within<N: TryFrom<i64> + PartialOrd>(self, range: &RangeInclusive<N>) -> Option<N> {
        let number = match self {
            Given::Toml(value) => {
                let integer = value.as_integer()?;
                i64::from_str_radix(integer.as_str(), integer.radix()).ok()?
            }
            Given::Outside(text) => text.to_str()?.parse().ok()?,
        };
        N::try_from(number).ok().filter(|number| range.contains(number))
    }

    fn switch(self) -> Option<bool> {
        match self {
            Given::Toml(value) => value.as_bool(),
            Given::Outside(text) => text.to_str()?.parse().ok(),
        }
    }

    fn path(self) -> Option<PathBuf> {
        let path = match self {
            Given::Toml(value) => PathBuf::from(value.as_str()?),
            Given::Outside(text) => PathBuf::from(text),
        };
        // A NUL ends a path inside the operating system: what follows it would be lost without a word.
        let usable = !path.as_os_str().is_empty() && !path.as_os_str().as_encoded_bytes().contains(&0);
        usable.then_some(path)
    }

    fn tokens(self) -> Option<Vec<Token>> {
        let texts: Vec<&str> = match self {
            Given::Toml(value) => {
                value.as_array()?.iter().map(|item| item.get_ref().as_str()).collect::<Option<Vec<_>>>()?
            }
            Given::Outside(text) => text.to_str()?.split(',').collect(),
        };
        let tokens = texts.iter().map(|text| Token::new(text)).collect::<Option<Vec<_>>>()?;
        let is_repeated = |(index, token)| tokens[..index].contains(token);
        if tokens.iter().enumerate().any(is_repeated) { None } else { Some(tokens) }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Number(number) => write!(formatter, "{number}"),
            Shown::Text(text) => write!(formatter, "{text:?}"),
            Shown::Switch(switch) => write!(formatter, "{switch}"),
            Shown::Hidden(0) => formatter.write_str("[]"),
            Shown::Hidden(1) => formatter.write_str("[1 token, hidden]"),
            Shown::Hidden(count) => write!(formatter, "[{count} tokens, hidden]"),
        }
    }
}

fn put<T>(config: &mut Config, place: &Place<T>, value: Option<T>) -> Option<()> {
    *(place.get_mut)(config) = value?;
    Some(())
}

fn one_of<const N: usize>(names: [&str; N]) -> String {
    format!("one of {}", names.map(|name| format!("\"{name}\"")).join(", "))
}
