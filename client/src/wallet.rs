//! Wallets: what one user has, of all batches, page by page.

use stockade_protocol::coupon::State;
use stockade_protocol::wallet::{self, WalletQuery};
use tokio::time::Instant;
use zerocopy::{FromBytes, IntoBytes};

use crate::client::Client;
use crate::error::ClientError;
use crate::request::{Request, page_limit};

/// Where a page of a wallet begins. Opaque; it belongs to the user and the states that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(wallet::Cursor);

impl Cursor {
    /// For keeping it, or for handing it to whoever asks for the next page.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(self.0.as_bytes());
        bytes
    }

    /// The cursor that was kept as these bytes. The server checks it.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(wallet::Cursor::read_from_bytes(&bytes).expect("a cursor is any sixteen bytes"))
    }
}

/// A page of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletPage {
    /// The coupons, newest first.
    pub items: Vec<WalletItem>,
    /// Where the next page begins; `None` = this is the last one.
    pub next: Option<Cursor>,
}

/// A coupon, or a unit reserved, of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalletItem {
    /// Its batch.
    pub batch: u64,
    /// Its serial.
    pub serial: u32,
    /// Where it is in its life; `None` = a state that this client does not know.
    pub state: Option<State>,
    /// The claim or reservation that took it.
    pub request: u64,
    /// The order that holds or redeemed it: told to operators, else 0.
    pub order: u64,
    /// When it was taken, in milliseconds since 1970.
    pub taken_ms: u64,
    /// When the coupon, or the reservation, expires; `None` = never.
    pub expires_ms: Option<u64>,
}

impl WalletItem {
    fn from_wire(item: &wallet::WalletItem) -> Self {
        Self {
            batch: item.batch.get(),
            serial: item.serial.get(),
            state: item.state(),
            request: item.request.get(),
            order: item.order.get(),
            taken_ms: item.taken_ms.get(),
            expires_ms: Some(item.expires_ms.get()).filter(|at| *at != 0),
        }
    }
}

impl Client {
    /// Shows up to `limit` (1..=1,024) of a user's coupons in any of `states` (none = all), newest first: from the
    /// newest on, or from `cursor` of the page before.
    ///
    /// `see_epoch`: the epoch of an answer whose effect must be seen; 0 = what is durable now.
    ///
    /// Cancel-safe: it only reads.
    ///
    /// # Errors
    /// `InvalidInput` when the limit is out of range; `Refused` with `CURSOR_INVALID` when the cursor was made for
    /// another user or other states, or the epoch was never given out; else `Unavailable`, `Refused` or `Protocol`.
    pub async fn wallet(
        &self,
        user: u64,
        states: &[State],
        limit: u32,
        cursor: Option<Cursor>,
        see_epoch: u64,
    ) -> Result<WalletPage, ClientError> {
        let short = u16::try_from(page_limit(limit)?).expect("a page's limit fits two bytes");
        let mut query = WalletQuery::new(user, states, short);
        query.cursor = cursor.map_or_else(wallet::Cursor::default, |cursor| cursor.0);
        query.see_epoch = see_epoch.into();
        let items = self.call(Request::Wallet(Box::new(query)), Instant::now()).await?.into_wallet();
        let is_full = items.len() == usize::from(short);
        Ok(WalletPage {
            items: items.iter().map(WalletItem::from_wire).collect(),
            next: items.last().filter(|_| is_full).map(|item| Cursor(item.cursor)),
        })
    }
}
