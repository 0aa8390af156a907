//! Creates a batch, claims a coupon of it, and resolves an unknown outcome.
//!
//! `cargo run --release -p stockade-client --example claim -- 127.0.0.1:7400`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::process::ExitCode;

use stockade_client::{ClaimRequest, Client, ClientError, Status, Terms};

const BATCH: u64 = 1_001;
const USER: u64 = 42;
/// Kept with the order: it is what makes a repeated claim the same claim.
const REQUEST: u64 = 1;

#[tokio::main(flavor = "current_thread")]
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
    let client = Client::builder(server).name("example-claim").build()?;

    let terms = Terms { stock: 100, per_user: Some(1), name: String::from("A hundred coupons"), ..Terms::default() };
    let created = client.create_batch(BATCH, &terms).await?;
    println!("batch {BATCH}: {}", created.status);

    let request = ClaimRequest { batch: BATCH, user: USER, request: REQUEST, quantity: 1, ..ClaimRequest::default() };
    let outcome = match client.claim(request).await {
        Err(unknown @ ClientError::UnknownOutcome { .. }) => {
            println!("{unknown}");
            client.lookup(BATCH, USER, REQUEST).await?
        }
        other => other?,
    };
    match outcome.status {
        Status::Granted if outcome.replayed => println!("serial {} (claimed earlier)", outcome.serials[0]),
        Status::Granted => println!("serial {}", outcome.serials[0]),
        refused => println!("no coupon: {refused}"),
    }
    Ok(())
}
