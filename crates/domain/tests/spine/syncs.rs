//! What central makes of a machine's list.

use loket_domain::dispatch::{
    Change, Input, MachineCopy, Refusal, Stream, SyncView, Synced, decide,
};
use loket_wire::Timestamp;

use super::{Central, Kept, Told, save};
use crate::machine::SyncMessage;

impl Central {
    /// What a machine says on connect. Answers what to tell it.
    pub(crate) fn sync(
        &mut self,
        machine_no: usize,
        sync: &SyncMessage,
        now: Timestamp,
    ) -> Vec<Told> {
        let known = &mut self.machines[machine_no];
        let answered = known
            .asked
            .filter(|(drawn, _at)| Some(*drawn) == sync.hello);
        let (is_answer, asked_at) = (answered.is_some(), answered.map(|(_drawn, at)| at));
        if is_answer {
            known.asked = None;
        }
        let view = SyncView {
            epoch: sync.epoch,
            first_event_seq: sync.first_event_seq,
            last_event_seq: sync.last_event_seq,
        };
        let of_epoch = |life: &&Stream| life.epoch == Some(sync.epoch);
        let earlier = known
            .lives
            .iter()
            .rev()
            .find(of_epoch)
            .map(|life| life.committed_seq);
        let present = known.lives.last().copied().unwrap_or_default();
        let doubt = known.doubt;
        let synced = present.sync_in_doubt(&view, earlier, doubt.filter(|_any| is_answer));
        if (synced.is_journal_lost() || doubt.is_some()) && !is_answer {
            self.ask_for_sync(machine_no, now);
            let (epoch, hello) = (sync.epoch, self.machines[machine_no].hello());
            return vec![Told::Ack {
                epoch,
                seq: 0,
                hello,
            }];
        }
        known.last_command_seq = known.last_command_seq.max(sync.last_command_seq);
        if synced.is_journal_lost() {
            self.lose_journal(machine_no, &synced.stream, now);
        }
        let known = &mut self.machines[machine_no];
        save(known, synced.stream);
        known.doubt = None;
        let is_same_life = present.generation == synced.stream.generation;
        known.overlap = present.overlap(&view).filter(|_any| is_same_life);
        let mut told = self.compare(machine_no, sync, &synced, asked_at, now);
        if synced.is_journal_lost() {
            self.ask_for_sync(machine_no, now);
        }
        told.extend(self.ack(machine_no));
        told
    }

    fn compare(
        &mut self,
        machine_no: usize,
        sync: &SyncMessage,
        synced: &Synced,
        asked_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<Told> {
        let place = synced.place(sync.last_event_seq);
        let is_settled = synced.is_settled;
        let mut asked = Vec::new();
        let mut has_passed_over = false;
        for (id, open) in &sync.open_jobs {
            // While its reports are under way they begin it.
            let local = open.local.as_deref().filter(|_local| is_settled);
            let Some(kept) = self.meet(machine_no, *id, local, now) else {
                continue;
            };
            let was_over = kept.job.state.is_end();
            let input = Input::Listed {
                place,
                state: open.state,
                is_settled,
            };
            let changes = decide(&kept.job, now, input).unwrap_or_default();
            kept.change(now, "central", &changes);
            has_passed_over |= was_over && !is_settled && kept.job.copy.is_none();
            let is_alive_there = was_over && !kept.job.state.is_end();
            let is_held = kept.job.copy == Some(MachineCopy::Held);
            let is_owed = is_held || kept.job.cancel_asked;
            if is_alive_there || (is_owed && kept.job.is_ask_due(now)) {
                asked.push(*id);
            }
        }
        // The question was asked before the journal turned out to be lost.
        let asked_at = asked_at.filter(|_at| !synced.is_journal_lost());
        let mut must_ask = false;
        let is_unlisted = |kept: &&mut Kept| {
            kept.machine_no == machine_no
                && !sync.open_jobs.contains_key(&kept.job.id)
                && (!kept.job.state.is_end() || kept.job.copy.is_some() || kept.job.cancel_asked)
        };
        for kept in self.jobs.values_mut().filter(is_unlisted) {
            let input = Input::Unlisted {
                is_settled,
                asked_at,
            };
            match decide(&kept.job, now, input) {
                Ok(changes) => {
                    must_ask |= changes.contains(&Change::Lost);
                    kept.change(now, "central", &changes);
                }
                Err(Refusal::Unproven) => must_ask = true,
                Err(Refusal::Unsettled) => has_passed_over = true,
                Err(refusal) => panic!("{refusal:?}"),
            }
            if kept.job.cancel_asked && kept.job.state.is_with_machine() {
                asked.push(kept.job.id);
            }
        }
        self.machines[machine_no].relist_seq = has_passed_over.then_some(sync.last_event_seq);
        if must_ask {
            self.ask_for_sync(machine_no, now);
        }
        asked
            .into_iter()
            .map(|id| self.ask_cancel(machine_no, id, now))
            .collect()
    }
}
