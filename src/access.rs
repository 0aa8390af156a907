//! Access: the tokens, and what the bearer of one may do. Both ports ask it.

use subtle::{Choice, ConstantTimeEq};

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Claims, look-ups, showing batches.
    Claim,
    /// Everything.
    Operator,
}

/// The tokens. Without any, everyone is an operator: then the server listens on loopback only.
#[derive(Clone, Default)]
pub struct Access {
    claim_tokens: Vec<String>,
    operator_tokens: Vec<String>,
}

impl Access {
    /// Access by these tokens.
    #[must_use]
    pub fn new(claim_tokens: Vec<String>, operator_tokens: Vec<String>) -> Self {
        Self { claim_tokens, operator_tokens }
    }

    /// Whether there are no tokens, so that none is asked for.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.claim_tokens.is_empty() && self.operator_tokens.is_empty()
    }

    /// What the bearer of `token` may do; `None` = nothing. Takes the same time for every wrong token of a length.
    #[must_use]
    pub fn role(&self, token: &str) -> Option<Role> {
        if self.is_open() {
            return Some(Role::Operator);
        }
        if is_among(&self.operator_tokens, token) {
            return Some(Role::Operator);
        }
        is_among(&self.claim_tokens, token).then_some(Role::Claim)
    }
}

fn is_among(tokens: &[String], token: &str) -> bool {
    let equal = |known: &String| known.as_bytes().ct_eq(token.as_bytes());
    tokens.iter().map(equal).fold(Choice::from(0), |any, equal| any | equal).into()
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (claim, operator) = (self.claim_tokens.len(), self.operator_tokens.len());
        write!(formatter, "{claim} claim tokens, {operator} operator tokens")
    }
}
