//! The numbers by which coupon records name clients.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::burst::Burst;
use crate::journal::Control;
use crate::limits::CLIENTS_MAX;
use crate::types::ClientNumber;

/// Nobody in particular.
const UNNAMED: ClientNumber = 0;

/// See the module.
#[derive(Default)]
pub(super) struct Clients {
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    numbers: HashMap<String, ClientNumber, foldhash::fast::RandomState>,
    /// By number, from 1 on.
    known: Vec<String>,
    /// Names whose number is not durable: nobody else may use it yet.
    fresh: Vec<String>,
}

impl Clients {
    /// Takes in a number of a restart. False when it has another name.
    pub(super) fn recall(&self, client: ClientNumber, name: &str) -> bool {
        let mut names = self.names.lock();
        let is_next = usize::from(client) == names.known.len() + 1;
        if is_next {
            names.known.push(name.to_owned());
            names.numbers.insert(name.to_owned(), client);
        }
        is_next
    }

    /// Up to `limit` clients from the number `from` on.
    pub(super) fn page(&self, from: u32, limit: u32) -> Vec<(ClientNumber, String)> {
        let names = self.names.lock();
        let numbered = (1..).zip(&names.known).filter(|(number, _)| u32::from(*number) >= from);
        numbered.take(limit as usize).map(|(number, name)| (number, name.clone())).collect()
    }
}

impl Burst<'_> {
    /// The number of the client with this name. One that is new gets it by a record of this burst; until that is
    /// durable, others with the name act unnamed. Without a name, and when there are too many, everyone does.
    pub fn client_named(&mut self, name: &str) -> ClientNumber {
        let mut names = self.engine.clients.names.lock();
        if let Some(number) = names.numbers.get(name) {
            return if names.fresh.iter().any(|fresh| fresh == name) { UNNAMED } else { *number };
        }
        if name.is_empty() || names.known.len() >= usize::from(CLIENTS_MAX) {
            return UNNAMED;
        }
        names.known.push(name.to_owned());
        let number = ClientNumber::try_from(names.known.len()).expect("fewer than CLIENTS_MAX");
        names.numbers.insert(name.to_owned(), number);
        names.fresh.push(name.to_owned());
        drop(names);
        let (clients, known) = (std::sync::Arc::clone(&self.engine.clients), name.to_owned());
        let keep = move || clients.names.lock().fresh.retain(|fresh| *fresh != known);
        self.pass.control(Control::Named { client: number, name: name.to_owned() }, Some(Box::new(keep)));
        number
    }
}
