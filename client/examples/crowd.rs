//! Ten thousand buyers, a thousand coupons: each buyer is a task of its own, all share one client.
//!
//! `cargo run --release -p stockade-client --example crowd -- 127.0.0.1:7400`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use stockade_client::{ClaimRequest, Client, ClientError, Durability, Terms};
use tokio::task::JoinSet;

const BATCH: u64 = 1_002;
const BUYERS: u64 = 10_000;

#[tokio::main]
async fn main() -> ExitCode {
    let server = std::env::args().nth(1).unwrap_or_else(|| String::from("127.0.0.1:7400"));
    if let Err(error) = sell(server).await {
        // The sentence says what to do next.
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn sell(server: String) -> Result<(), ClientError> {
    let client = Client::builder(server).name("example-crowd").connections(4).build()?;
    let described = client.server().await?;
    let durability = described.durability.map_or("unknown", Durability::name);
    println!("Stockade {}, durability {durability}", described.version);

    let terms = Terms { stock: 1_000, per_user: Some(1), name: String::from("A thousand coupons"), ..Terms::default() };
    println!("batch {BATCH}: {}", client.create_batch(BATCH, &terms).await?.status);

    let start = Instant::now();
    let mut buyers = JoinSet::new();
    for user in 0..BUYERS {
        let client = client.clone();
        buyers.spawn(async move {
            let request = ClaimRequest { batch: BATCH, user, request: 1, quantity: 1, ..ClaimRequest::default() };
            match client.claim(request).await {
                Err(ClientError::UnknownOutcome { .. }) => client.lookup(BATCH, user, 1).await,
                other => other,
            }
        });
    }
    let mut outcomes = BTreeMap::<String, u64>::new();
    while let Some(joined) = buyers.join_next().await {
        let name = match joined.expect("a buyer does not panic") {
            Ok(outcome) => outcome.status.to_string(),
            Err(error) => error.to_string(),
        };
        *outcomes.entry(name).or_default() += 1;
    }
    println!("{BUYERS} claims in {:?}", start.elapsed());
    for (outcome, count) in outcomes {
        println!("{count:>8}  {outcome}");
    }
    Ok(())
}
