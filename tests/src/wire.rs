//! The wire between one instance and the engine: counts what goes over it, and can be cut.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextRef,
            BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::update_item::{UpdateItemInput, UpdateItemOutput},
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// The operation that copies attempts to the audit table. It is off the path of every request and counted by itself, so that what
/// a request costs and what a test breaks doesn't depend on when it comes.
const COPIES: &str = "BatchExecuteStatement";

/// Marks a call as one of those.
#[derive(Debug)]
struct IsCopy;

impl Storable for IsCopy {
    type Storer = StoreReplace<Self>;
}

/// A wire. Clones are the same wire.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    mended: Condvar,
}

/// The longest that a call is held, should nobody let it go.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    copies: usize,
    no_copies: bool,
    left: Option<usize>,
    held: Option<usize>,
    holds: bool,
    lost: std::ops::Range<usize>,
    answered: usize,
    write_units: Vec<f64>,
}

impl Wire {
    /// The operations that went over it since this was last asked, in order, as `UpdateItem`.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// How many batches of copies of the audit went over it since this was last asked.
    #[must_use]
    pub fn take_copies(&self) -> usize {
        std::mem::take(&mut self.state().copies)
    }

    /// Fails all batches of copies of the audit, or none.
    pub fn cut_copies(&self, cut: bool) {
        self.state().no_copies = cut;
    }

    /// Lets `calls` more calls through and fails all that follow.
    pub fn cut_after(&self, calls: usize) {
        self.state().left = Some(calls);
    }

    /// Lets every call and every answer through again.
    pub fn mend(&self) {
        let mut state = self.state();
        state.left = None;
        state.lost = 0..0;
        state.held = None;
        self.0.mended.notify_all();
    }

    /// Lets `calls` more calls through and holds the next one until this is mended. Blocks its thread: other tasks need another.
    pub fn hold_after(&self, calls: usize) {
        self.state().held = Some(calls);
    }

    /// Whether a call has been held.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.state().holds
    }

    /// Waits until a call is held.
    ///
    /// # Panics
    /// If none is for a long time.
    pub async fn holds(&self) {
        let held = async {
            while !self.is_holding() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, held).await.expect("a call to hold");
    }

    /// Lets every call reach the engine, and loses its answers to the calls of those indexes, counted from now on.
    pub fn lose_replies(&self, lost: std::ops::Range<usize>) {
        let mut state = self.state();
        state.lost = lost;
        state.answered = 0;
    }

    /// Write units of each UpdateItem that went through since this was last asked.
    #[must_use]
    pub fn take_write_units(&self) -> Vec<f64> {
        std::mem::take(&mut self.state().write_units)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "wire"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(update) = context.input_mut().downcast_mut::<UpdateItemInput>() {
            update.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        }
        Ok(())
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut state = self.state();
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        if operation == COPIES {
            state.copies += 1;
            bag.interceptor_state().store_put(IsCopy);
            return if state.no_copies { Err("the wire is cut".into()) } else { Ok(()) };
        }
        match state.left {
            Some(0) => return Err("the wire is cut".into()),
            Some(left) => state.left = Some(left - 1),
            None => {}
        }
        match state.held {
            Some(0) => {
                state.holds = true;
                let mended = self.0.mended.wait_timeout_while(state, PATIENCE, |state| state.held.is_some());
                state = mended.unwrap_or_else(PoisonError::into_inner).0;
            }
            Some(left) => state.held = Some(left - 1),
            None => {}
        }
        state.calls.push(operation.to_owned());
        Ok(())
    }

    fn read_after_transmit(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if bag.load::<IsCopy>().is_some() {
            return Ok(());
        }
        let mut state = self.state();
        let index = state.answered;
        state.answered += 1;
        if state.lost.contains(&index) { Err("the answer is lost".into()) } else { Ok(()) }
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Ok(output) = context.output_or_error()
            && let Some(update) = output.downcast_ref::<UpdateItemOutput>()
            && let Some(units) = update.consumed_capacity().and_then(ConsumedCapacity::capacity_units)
        {
            self.state().write_units.push(units);
        }
        Ok(())
    }
}
