//! Where a feed begins, on the command line.

use stockade_client::{FeedStart, Place};

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At the oldest event that is kept.
    Oldest,
    /// Where the consumer stopped.
    Stored,
    /// At a place.
    At(Place),
}

/// Reads a start: `EPOCH`, `EPOCH:INDEX`, `oldest` or `stored`.
pub(super) fn start(text: &str) -> Result<Start, String> {
    match text {
        "oldest" => Ok(Start::Oldest),
        "stored" => Ok(Start::Stored),
        place => {
            let (epoch, index) = place.split_once(':').unwrap_or((place, "0"));
            match (epoch.parse(), index.parse()) {
                (Ok(epoch), Ok(index)) => Ok(Start::At(Place { epoch, index })),
                _ => Err("it must be an epoch such as 41, epoch and index such as 41:3, oldest, or stored".to_owned()),
            }
        }
    }
}

impl From<Start> for FeedStart {
    fn from(start: Start) -> FeedStart {
        match start {
            Start::Oldest => FeedStart::Oldest,
            Start::Stored => FeedStart::Stored { or: Place::FIRST },
            Start::At(place) => FeedStart::At(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::event;
    use super::*;

    #[test]
    fn words_and_places() {
        assert_eq!((start("oldest"), start("stored")), (Ok(Start::Oldest), Ok(Start::Stored)));
        let place = |epoch, index| Ok(Start::At(Place { epoch, index }));
        assert_eq!((start("41"), start("41:3")), (place(41, 0), place(41, 3)));
        assert_eq!(start(&event::place(Place { epoch: 41, index: 3 })), place(41, 3));
        for text in ["", "newest", "-1", "41:", ":3", "41:3:1", "41:4294967296"] {
            assert!(start(text).is_err(), "{text:?}");
        }
    }
}
