//! The control endpoint of a device in memory.

use std::sync::Arc;
use std::time::Duration;

use super::wire::Hold;
use crate::pipe::{ClassControl, ClassRequest, PipeFault, PipeFuture};

const DEVICE_ID: u8 = 0;
const PORT_STATUS: u8 = 1;

#[derive(Debug)]
pub(super) struct FakeControl(pub(super) Arc<Hold>);

impl ClassControl for FakeControl {
    fn ask(
        &self,
        request: ClassRequest,
        len: u16,
        _patience: Duration,
    ) -> PipeFuture<'_, Result<Vec<u8>, PipeFault>> {
        let answer = self.0.device.change(|world| {
            if world.is_gone {
                return Err(PipeFault::Unplugged);
            }
            let answer = match request.request {
                DEVICE_ID => world.faults.device_id.clone(),
                PORT_STATUS => world.faults.port_status.map(|bits| vec![bits]),
                _ => None,
            };
            let mut answer = answer.ok_or(PipeFault::Stalled)?;
            answer.truncate(usize::from(len));
            Ok(answer)
        });
        Box::pin(async move { answer })
    }

    fn tell(
        &self,
        request: ClassRequest,
        _patience: Duration,
    ) -> PipeFuture<'_, Result<(), PipeFault>> {
        let number = self.0.number;
        let told = self.0.device.change(|world| {
            let answer = if request.to_other {
                world.faults.soft_reset_to_other
            } else {
                world.faults.soft_reset
            };
            world.reset_softly(number, answer)
        });
        Box::pin(async move { told })
    }
}
