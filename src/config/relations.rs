//! What must hold between several keys.

use std::net::SocketAddr;

use super::values::{Config, Token};

/// A relation that does not hold.
pub(super) struct Broken {
    /// The keys it is about; the first is the one to change.
    pub(super) keys: &'static [&'static str],
    /// What to do, as the end of a sentence.
    pub(super) reason: String,
}

/// Every relation that `config` breaks.
pub(super) fn broken(config: &Config) -> Vec<Broken> {
    [
        in_flight(config),
        same_address(config),
        exposed("server.listen", &["server.listen", "auth.operator_tokens"], config.server.listen, config),
        exposed("admin.listen", &["admin.listen", "auth.operator_tokens"], config.admin.listen, config),
        no_operator(config),
        ambiguous_token(config),
        floor(config),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn in_flight(config: &Config) -> Option<Broken> {
    let server = &config.server;
    (server.in_flight_claims_per_connection > server.in_flight_claims_max).then(|| Broken {
        keys: &["server.in_flight_claims_per_connection", "server.in_flight_claims_max"],
        reason: format!(
            "must not be above server.in_flight_claims_max, which is {}: one connection cannot have more in flight \
             than the whole server",
            server.in_flight_claims_max
        ),
    })
}

fn same_address(config: &Config) -> Option<Broken> {
    let (data, admin) = (config.server.listen, config.admin.listen);
    (data == admin && data.port() != 0).then(|| Broken {
        keys: &["admin.listen", "server.listen"],
        reason: "must be another address than server.listen: two ports cannot listen on one address".to_owned(),
    })
}

fn exposed(name: &str, keys: &'static [&'static str], address: SocketAddr, config: &Config) -> Option<Broken> {
    // An IPv4 address written as IPv6 (::ffff:127.0.0.1) is as local as what it stands for.
    let is_local = address.ip().to_canonical().is_loopback();
    (!is_local && config.auth.operator_tokens.is_empty()).then(|| Broken {
        keys,
        reason: format!(
            "other machines can reach it, and without tokens all of them could end batches and take stock; set \
             auth.operator_tokens, or let {name} be a loopback address such as \"127.0.0.1:{}\"",
            address.port()
        ),
    })
}

fn no_operator(config: &Config) -> Option<Broken> {
    (!config.auth.claim_tokens.is_empty() && config.auth.operator_tokens.is_empty()).then(|| Broken {
        keys: &["auth.claim_tokens", "auth.operator_tokens"],
        reason: "with these alone nobody may create a batch; set auth.operator_tokens too".to_owned(),
    })
}

fn ambiguous_token(config: &Config) -> Option<Broken> {
    let is_operator = |token: &Token| config.auth.operator_tokens.contains(token);
    config.auth.claim_tokens.iter().position(is_operator).map(|index| Broken {
        keys: &["auth.claim_tokens", "auth.operator_tokens"],
        reason: format!(
            "token {} of the list is also in auth.operator_tokens; give claimers a token of their own",
            index + 1
        ),
    })
}

fn floor(config: &Config) -> Option<Broken> {
    let storage = &config.storage;
    (storage.free_space_floor_bytes < storage.segment_bytes).then(|| Broken {
        keys: &["storage.free_space_floor_mib", "storage.segment_mib"],
        reason:
            "must be at least storage.segment_mib: a full segment is written out once more as a table file, and that \
                 must still fit on the disk when claims stop"
                .to_owned(),
    })
}
