//! A checkout: a coupon is reserved while the user pays, confirmed, locked for the order, and redeemed with it.
//!
//! `cargo run --release -p stockade-client --example checkout -- 127.0.0.1:7400`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::process::ExitCode;

use stockade_client::{
    ClaimOutcome, Client, ClientError, CouponOutcome, CouponRequest, ReserveRequest, Status, Terms, Validity,
};

const BATCH: u64 = 1_003;
const USER: u64 = 42;
/// Kept with the basket: it is what makes a repeated reservation the same reservation.
const REQUEST: u64 = 1;
const ORDER: u64 = 9_001;
/// Time to pay.
const TTL_S: u16 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let server = std::env::args().nth(1).unwrap_or_else(|| String::from("127.0.0.1:7400"));
    match check_out(server).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The sentence says what to do next.
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the order has its coupon. Every step is safe to repeat, so all of it is: a second run tells the same.
async fn check_out(server: String) -> Result<bool, ClientError> {
    let client = Client::builder(server).name("example-checkout").build()?;
    let terms = Terms {
        stock: 100,
        per_user: Some(1),
        validity: Validity { valid_days: Some(30), ..Validity::default() },
        zone: String::from("Asia/Shanghai"),
        name: String::from("Coupons of thirty days"),
        ..Terms::default()
    };
    println!("batch {BATCH}: {}", client.create_batch(BATCH, &terms).await?.status);

    // The basket: the coupon is held while the user pays.
    let request =
        ReserveRequest { batch: BATCH, user: USER, request: REQUEST, ttl_s: TTL_S, ..ReserveRequest::default() };
    let reserved = match client.reserve(request).await {
        Err(unknown @ ClientError::UnknownOutcome { .. }) => {
            println!("{unknown}");
            client.lookup(BATCH, USER, REQUEST).await?
        }
        other => other?,
    };
    println!("reserve: {}", told(&reserved));
    if !matches!(reserved.status, Status::Reserved | Status::Granted) {
        return Ok(false);
    }

    if !user_pays() {
        println!("cancel: {}", client.cancel(BATCH, USER, REQUEST).await?.status);
        return Ok(false);
    }
    let confirmed = client.confirm(BATCH, USER, REQUEST).await?;
    println!("confirm: {}", told(&confirmed));
    let (Status::Granted, [serial]) = (confirmed.status, &confirmed.serials[..]) else { return Ok(false) };

    // The order: it takes hold of the coupon first, so that no other order uses it, and uses it when it is final.
    let coupon = CouponRequest { batch: BATCH, user: USER, serial: *serial, order: ORDER };
    let locked = client.lock_coupon(coupon).await?;
    println!("lock: {}", changed(&locked));
    if locked.status != Status::Done {
        return Ok(false);
    }
    let redeemed = client.redeem_coupon(coupon).await?;
    println!("redeem: {}", changed(&redeemed));

    // Readers see it by the epoch of the answer.
    for item in client.wallet(USER, &[], 10, None, redeemed.epoch).await?.items {
        let state = item.state.map_or("in a state that this client does not know", |state| state.name());
        println!("wallet: coupon {} of batch {} is {state}", item.serial, item.batch);
    }
    Ok(redeemed.status == Status::Done)
}

/// Stands for a payment.
fn user_pays() -> bool {
    true
}

fn told(outcome: &ClaimOutcome) -> String {
    let earlier = if outcome.replayed { " (earlier)" } else { "" };
    format!("{}{earlier} {:?}", outcome.status, outcome.serials)
}

fn changed(outcome: &CouponOutcome) -> String {
    let earlier = if outcome.replayed { " (earlier)" } else { "" };
    format!("{}{earlier}", outcome.status)
}
