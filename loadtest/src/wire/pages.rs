//! Questions about more things than one frame holds: many frames, some of them in flight at a time.
//!
//! The frames leave from a thread of their own, so that neither side can wait for ever for the other to read first.

use std::collections::VecDeque;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use stockade_protocol::Opcode;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::PAGES_IN_FLIGHT;
use crate::wire::control::{Backoff, Control};
use crate::wire::link::{Link, LinkError, frame};

/// Something that the server is asked page by page.
#[derive(Clone, Copy, Debug)]
pub struct Pages<Make> {
    /// How it is asked.
    pub opcode: Opcode,
    /// Number of pages.
    pub count: usize,
    /// The items of a page, at least one: the same whenever it is asked for.
    pub make: Make,
}

/// The answers so far.
struct Answers<Reply, Take> {
    /// The first page whose answer was not taken yet.
    next: usize,
    /// That page and those after it that were asked for.
    asked: VecDeque<Asked<Reply>>,
    take: Take,
    /// Whether whoever takes them wants no more.
    is_enough: bool,
}

struct Asked<Reply> {
    /// Items of the page.
    items: usize,
    /// `None` = outstanding.
    answer: Option<Vec<Reply>>,
}

impl Control {
    /// Asks all `pages` and hands the answers to `take`, in order, an item for each item asked, until it wants no more.
    /// Pages without an answer are asked again when the connection breaks or the server wants more time, so that asking
    /// twice must have the same effect as once.
    ///
    /// # Errors
    /// When no answer came within the patience.
    pub fn ask_pages<Request, Reply, Make, Take>(&mut self, pages: &Pages<Make>, take: Take) -> Result<(), LinkError>
    where
        Request: IntoBytes + Immutable,
        Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
        Make: Fn(usize) -> Vec<Request>,
        Take: FnMut(Vec<Reply>) -> ControlFlow<()>,
    {
        let mut answers = Answers { next: 0, asked: VecDeque::new(), take, is_enough: false };
        let (mut deadline, mut backoff, mut begun) = (Instant::now() + self.patience(), Backoff::default(), 0);
        while answers.next < pages.count && !answers.is_enough {
            // What was asked on a broken connection has no answer; what it already answered is asked twice.
            answers.asked.clear();
            let asked = self.link().and_then(|mut link| {
                link.ask_pages(pages, &mut answers)?;
                Ok(link)
            });
            match asked {
                // Nobody waits for what is still to come on it.
                Ok(_) if answers.is_enough => {}
                Ok(link) => self.keep(link),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    if answers.next > begun {
                        begun = answers.next;
                        (deadline, backoff) = (Instant::now() + self.patience(), Backoff::default());
                    }
                    if Instant::now() >= deadline {
                        return Err(error);
                    }
                    backoff.pause();
                }
            }
        }
        Ok(())
    }
}

impl Link {
    /// Asks for the pages from `answers.next` on.
    fn ask_pages<Request, Reply, Make, Take>(
        &mut self,
        pages: &Pages<Make>,
        answers: &mut Answers<Reply, Take>,
    ) -> Result<(), LinkError>
    where
        Request: IntoBytes + Immutable,
        Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
        Make: Fn(usize) -> Vec<Request>,
        Take: FnMut(Vec<Reply>) -> ControlFlow<()>,
    {
        let mut writer = self.writer()?;
        let (frames, to_write) = sync_channel::<Vec<u8>>(PAGES_IN_FLIGHT);
        thread::scope(|scope| {
            // After an error nothing more is written; whoever reads finds out by himself.
            scope.spawn(move || to_write.into_iter().try_for_each(|frame| writer.write_all(&frame)));
            let mut asked = answers.next;
            let result = loop {
                while asked < pages.count && asked - answers.next < PAGES_IN_FLIGHT {
                    let items = (pages.make)(asked);
                    // A writer that has ended left a broken connection behind.
                    let _ = frames.send(frame(pages.opcode, asked as u64, &items));
                    answers.asked.push_back(Asked { items: items.len(), answer: None });
                    asked += 1;
                }
                if answers.next == pages.count || answers.is_enough {
                    break Ok(());
                }
                if let Err(error) = self.receive(pages.opcode).and_then(|(page, items)| answers.enter(page, items)) {
                    break Err(error);
                }
            };
            if result.is_err() || answers.is_enough {
                // The writer may be in the middle of a frame that nobody will read.
                self.shut();
            }
            drop(frames);
            result
        })
    }
}

impl<Reply, Take: FnMut(Vec<Reply>) -> ControlFlow<()>> Answers<Reply, Take> {
    /// Enters the answer to `page`, and takes it once all before it are there.
    fn enter(&mut self, page: u64, items: Vec<Reply>) -> Result<(), LinkError> {
        let place = usize::try_from(page).ok().and_then(|page| page.checked_sub(self.next));
        let asked = place.and_then(|place| self.asked.get_mut(place));
        match asked.filter(|asked| asked.answer.is_none() && asked.items == items.len()) {
            Some(asked) => asked.answer = Some(items),
            None => return Err(LinkError::Foreign("a reply answers nothing that was asked".to_owned())),
        }
        while let Some(items) = self.asked.front_mut().and_then(|asked| asked.answer.take()) {
            self.asked.pop_front();
            self.next += 1;
            self.is_enough |= (self.take)(items).is_break();
        }
        Ok(())
    }
}
