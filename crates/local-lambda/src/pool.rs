//! Several sandboxes of one function, as Lambda keeps them.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use crate::{Function, Outcome, Sandbox, StartError, Stopped, sandbox::Records};

/// How often one event is handed to a new sandbox because the last had ended
/// before it took the event.
const ATTEMPTS: usize = 3;

/// Sandboxes of one function, each with one event at a time.
///
/// The first one is started with the pool, the others when all that there are have
/// work. One that has ended is replaced before its next event. Dropping the pool
/// kills them all.
#[derive(Debug)]
pub struct Pool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    function: Function,
    limit: u32,
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    idle: Vec<Seat>,
    members: Vec<Member>,
    ended: Vec<Stopped>,
}

/// A sandbox, with whoever uses it.
#[derive(Debug)]
struct Seat {
    sandbox: Sandbox,
    killed: watch::Receiver<bool>,
}

/// What the pool knows of a sandbox while somebody else uses it, and afterwards.
#[derive(Debug)]
struct Member {
    pid: u32,
    busy: bool,
    killed: watch::Sender<bool>,
    records: Records,
}

impl Member {
    fn is_alive(&self) -> bool {
        !*self.killed.borrow() && self.records.is_running()
    }
}

impl Pool {
    /// Starts the first sandbox, of at most `sandboxes` (and at least one).
    ///
    /// # Errors
    /// When the function does not start.
    pub async fn start(function: Function, sandboxes: usize) -> Result<Self, StartError> {
        let limit = u32::try_from(sandboxes.max(1)).unwrap_or(u32::MAX).min(Semaphore::MAX_PERMITS as u32);
        let permits = Semaphore::new(limit as usize);
        let inner = Arc::new(Inner { function, limit, permits, state: Mutex::default() });
        let seat = inner.start().await?;
        inner.give_back(seat);
        Ok(Self { inner })
    }

    /// Hands one event to a free sandbox, or waits for one, and then for what comes
    /// of it.
    ///
    /// Dropping the future leaves the function at work, as a caller does that hangs
    /// up.
    ///
    /// # Errors
    /// When a sandbox was needed and did not start.
    pub async fn invoke(&self, event: &Value) -> Result<Outcome, StartError> {
        let (inner, event) = (self.inner.clone(), event.clone());
        let task = tokio::spawn(async move { inner.invoke(&event).await });
        task.await.unwrap_or_else(|error| Err(StartError::Setup(io::Error::other(error))))
    }

    /// The processes that run, in the order in which they were started.
    pub fn pids(&self) -> Vec<u32> {
        let state = self.inner.state();
        state.members.iter().filter(|member| member.is_alive()).map(|member| member.pid).collect()
    }

    /// Ends a process at once (SIGKILL), also in the middle of its work. Says
    /// whether there was one of this id.
    pub fn kill(&self, pid: u32) -> bool {
        self.inner
            .kill(|members| members.iter().position(|member| member.pid == pid && member.is_alive()))
            .is_some()
    }

    /// Ends one process at once, one that has work if there is one, and returns its
    /// id.
    pub fn kill_one(&self) -> Option<u32> {
        self.inner.kill(|members| {
            let alive = |busy| members.iter().position(|member| member.is_alive() && member.busy == busy);
            alive(true).or_else(|| alive(false))
        })
    }

    /// What all processes have written, also those that have ended: one after the
    /// other, in the order in which they were started.
    pub fn logs(&self) -> Vec<String> {
        self.inner.state().members.iter().flat_map(|member| member.records.logs()).collect()
    }

    /// The most resident memory that any one process ever held, on Linux.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.inner.state().members.iter().filter_map(|member| member.records.peak_rss_bytes()).max()
    }

    /// Waits until all work is done, asks every process to leave, and returns what
    /// is known about them, also about those that had ended before. Nothing is
    /// handed to a sandbox afterwards.
    pub async fn stop(&self) -> Vec<Stopped> {
        self.inner.stop().await
    }

    /// Kills all, whoever still holds the pool.
    pub(crate) fn close(&self) {
        self.inner.permits.close();
        let mut state = self.inner.state();
        state.closed = true;
        state.idle.clear();
        for member in &state.members {
            member.killed.send_replace(true);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn invoke(&self, event: &Value) -> Result<Outcome, StartError> {
        let mut outcome = Outcome::NotRunning { code: None, signal: None };
        let Ok(_permit) = self.permits.acquire().await else {
            return Ok(outcome);
        };
        for _ in 0..ATTEMPTS {
            let mut seat = self.seat().await?;
            outcome = seat.invoke(event).await;
            if !matches!(outcome, Outcome::NotRunning { .. }) {
                self.give_back(seat);
                break;
            }
            let stopped = seat.sandbox.stop().await;
            self.state().ended.push(stopped);
        }
        Ok(outcome)
    }

    /// The sandbox that was used last, or a new one.
    async fn seat(&self) -> Result<Seat, StartError> {
        let idle = {
            let mut state = self.state();
            let seat = state.idle.pop();
            if let Some(seat) = &seat {
                state.mark(seat.sandbox.pid(), true);
            }
            seat
        };
        match idle {
            Some(seat) => Ok(seat),
            None => self.start().await,
        }
    }

    async fn start(&self) -> Result<Seat, StartError> {
        let sandbox = self.function.clone().start().await?;
        let (killed, seen) = watch::channel(false);
        let member = Member { pid: sandbox.pid(), busy: true, killed, records: sandbox.records() };
        self.state().members.push(member);
        Ok(Seat { sandbox, killed: seen })
    }

    fn give_back(&self, mut seat: Seat) {
        let mut state = self.state();
        state.mark(seat.sandbox.pid(), false);
        // Seen under the lock, so that a kill meets it either at work or here.
        if *seat.killed.borrow() {
            seat.sandbox.kill();
        }
        if !state.closed {
            state.idle.push(seat);
        }
    }

    fn kill(&self, choose: impl FnOnce(&[Member]) -> Option<usize>) -> Option<u32> {
        let mut state = self.state();
        let member = choose(&state.members)?;
        let member = state.members.get(member)?;
        let pid = member.pid;
        member.killed.send_replace(true);
        if let Some(seat) = state.idle.iter_mut().find(|seat| seat.sandbox.pid() == pid) {
            seat.sandbox.kill();
        }
        Some(pid)
    }

    async fn stop(&self) -> Vec<Stopped> {
        // Fails only if the pool is closed, and then there is nothing to wait for.
        let all = self.permits.acquire_many(self.limit).await;
        self.permits.close();
        drop(all);
        let (seats, mut stopped) = {
            let mut state = self.state();
            state.closed = true;
            (std::mem::take(&mut state.idle), std::mem::take(&mut state.ended))
        };
        for seat in seats {
            stopped.push(seat.sandbox.stop().await);
        }
        stopped
    }
}

impl State {
    /// The last of this id: the system may give an id again.
    fn mark(&mut self, pid: u32, busy: bool) {
        if let Some(member) = self.members.iter_mut().rfind(|member| member.pid == pid) {
            member.busy = busy;
        }
    }
}

impl Seat {
    async fn invoke(&mut self, event: &Value) -> Outcome {
        let Self { sandbox, killed } = self;
        if *killed.borrow() {
            sandbox.kill();
            return sandbox.invoke(event).await;
        }
        tokio::select! {
            biased;
            outcome = sandbox.invoke(event) => return outcome,
            _ = killed.wait_for(|killed| *killed) => {}
        }
        sandbox.kill();
        Outcome::Exited { code: None, signal: Some(9) }
    }
}
