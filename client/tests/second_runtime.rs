//! A client outlives the runtime that drove its connections.

use stockade_client::{Client, ClientError};
use tokio::runtime::{Builder, Runtime};

use crate::support::{CLAIM, FakeServer, Received};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn a_call_on_another_runtime_connects_anew() {
    let servers = runtime();
    let (client, server) = servers.block_on(async {
        let server = FakeServer::start().await;
        (server.client().build().expect("valid"), server)
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let driver = std::thread::spawn(move || {
        servers.block_on(async {
            let _ = server.serve(Received::granted);
            drop(stopped.await);
        });
    });

    for _ in 0..3 {
        let short_lived = runtime();
        let outcome: Result<_, ClientError> = short_lived.block_on(Client::claim(&client, CLAIM));
        assert_eq!(outcome.expect("granted").serials, [9]);
    }
    drop(stop);
    driver.join().expect("no panic");
}

#[test]
fn calls_can_be_spawned_on_threads() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    fn is_send<T: Send>(_: &T) {}
    let client = Client::builder("stock.example:7400").build().expect("no runtime is needed to build");
    is_send_and_sync(&client);
    is_send(&client.claim(CLAIM));
    is_send(&client.server());
}
