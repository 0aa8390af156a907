//! What all clones of a client share: the pool, and the tasks of its connections, which end with the last clone.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::builder::Options;
use crate::connection;
use crate::job::Job;
use crate::pool::Pool;
use crate::trouble::Trouble;

/// The tasks hold the pool, never the handle: so it is dropped with the last client, and aborts them then.
pub(crate) struct Handle {
    pub(crate) pool: Arc<Pool>,
    connections: Mutex<JoinSet<()>>,
}

impl Handle {
    pub(crate) fn new(options: Options) -> Self {
        Self { pool: Arc::new(Pool::new(options)), connections: Mutex::new(JoinSet::new()) }
    }

    /// Queues a job and starts a connection for it where one is wanted. Cancel-safe.
    ///
    /// # Errors
    /// When the server has just refused this client for good.
    pub(crate) async fn submit(&self, job: Job) -> Result<(), Trouble> {
        if let Some(seat) = self.pool.push(job).await? {
            let mut connections = self.connections.lock();
            while connections.try_join_next().is_some() {}
            connections.spawn(connection::run(seat));
        }
        Ok(())
    }
}
