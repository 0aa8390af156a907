//! Text in a field of fixed size: a length, then bytes of UTF-8, then zeros.

use std::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A text of at most `N` bytes. On the wire: `N` bytes, the text first, the rest zero; its length is the position of
/// the first zero, so a text holds no NUL.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct FixedText<const N: usize> {
    bytes: [u8; N],
}

/// Why a text does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Longer than the field.
    TooLong {
        /// Bytes that fit.
        max: usize,
    },
    /// A control character, NUL among them.
    ControlCharacter,
    /// Not UTF-8, or bytes after the end.
    Encoding,
}

impl<const N: usize> FixedText<N> {
    /// The empty text.
    pub const EMPTY: Self = Self { bytes: [0; N] };

    /// Holds `text`.
    ///
    /// # Errors
    /// When it is longer than the field or has a control character.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.len() > N {
            return Err(TextError::TooLong { max: N });
        }
        if text.chars().any(char::is_control) {
            return Err(TextError::ControlCharacter);
        }
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes })
    }

    /// Holds as much of `text` as fits, control characters left out. For texts that we write ourselves.
    #[must_use]
    pub fn truncated(text: &str) -> Self {
        let mut bytes = [0; N];
        let mut used = 0;
        for character in text.chars().filter(|character| !character.is_control()) {
            let width = character.len_utf8();
            if used + width > N {
                break;
            }
            character.encode_utf8(&mut bytes[used..used + width]);
            used += width;
        }
        Self { bytes }
    }

    /// The text, after checking what the peer sent.
    ///
    /// # Errors
    /// When it is not UTF-8, has a control character, or bytes follow its end.
    pub fn text(&self) -> Result<&str, TextError> {
        let length = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(N);
        let (text, rest) = self.bytes.split_at(length);
        if rest.iter().any(|byte| *byte != 0) {
            return Err(TextError::Encoding);
        }
        let text = std::str::from_utf8(text).map_err(|_| TextError::Encoding)?;
        if text.chars().any(char::is_control) {
            return Err(TextError::ControlCharacter);
        }
        Ok(text)
    }

    /// The text, or nothing if the field does not hold one.
    #[must_use]
    pub fn text_or_empty(&self) -> &str {
        self.text().unwrap_or("")
    }
}

impl<const N: usize> Default for FixedText<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> fmt::Debug for FixedText<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.text_or_empty())
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::TooLong { max } => write!(formatter, "longer than {max} bytes"),
            TextError::ControlCharacter => formatter.write_str("has a control character"),
            TextError::Encoding => formatter.write_str("is not UTF-8 padded with zeros"),
        }
    }
}

impl std::error::Error for TextError {}
