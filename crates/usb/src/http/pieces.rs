//! Bytes on their way: handed on in the pieces that they came in, so that they are copied seldom, and wiped when they have
//! left.

use std::collections::VecDeque;
use std::fmt;

use zeroize::Zeroize as _;

/// A piece that is filled has so many bytes: two make the largest transfer.
pub(super) const PIECE_BYTES: usize = 16 * 1024;

/// Of a smaller piece the bytes are copied behind those of the last one.
const WORTH_MOVING_BYTES: usize = PIECE_BYTES / 2;

/// Bytes that are put at one end and leave at the other. They may be a document's: dropping it wipes them.
///
/// It never grows, and so leaves no copies behind.
pub(super) struct Piece {
    bytes: Vec<u8>,
    /// How many of them, the first ones, have left.
    gone: usize,
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piece")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Piece {
    /// One that is not filled.
    pub(super) fn new() -> Self {
        Self::of(Vec::with_capacity(PIECE_BYTES))
    }

    /// These bytes; what else their memory has room for can be put behind them.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, gone: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    /// What has not left.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.gone..).unwrap_or_default()
    }

    fn room(&self) -> usize {
        self.bytes.capacity().saturating_sub(self.bytes.len())
    }

    /// Puts as many bytes behind the others as there is room for; says how many.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        let put = bytes.get(..self.room()).unwrap_or(bytes);
        self.bytes.extend_from_slice(put);
        put.len()
    }

    /// Lets the first `len` bytes leave.
    pub(super) fn consume(&mut self, len: usize) {
        self.gone = self.gone.saturating_add(len).min(self.bytes.len());
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.bytes.as_mut_slice().zeroize();
    }
}

/// Pieces in their order.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Piece>,
    len: usize,
}

impl Pieces {
    /// How many bytes there are in all.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a piece behind the others; a small one is copied. So their number is bounded by their bytes, two for each
    /// [`WORTH_MOVING_BYTES`].
    pub(super) fn push(&mut self, piece: Piece) {
        if piece.len() < WORTH_MOVING_BYTES {
            self.put(piece.waiting());
        } else {
            self.put_back(piece);
        }
    }

    /// Copies bytes behind the others.
    pub(super) fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut last = self.take_unfilled().unwrap_or_else(Piece::new);
            let put = last.put(bytes);
            self.put_back(last);
            bytes = bytes.get(put..).unwrap_or_default();
        }
    }

    /// Takes the last piece, where it has room; [`put_back`](Self::put_back) gives it back.
    pub(super) fn take_unfilled(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_back_if(|it| it.room() > 0)?;
        self.len = self.len.saturating_sub(piece.len());
        Some(piece)
    }

    /// Puts a piece behind the others as it is.
    pub(super) fn put_back(&mut self, piece: Piece) {
        self.len = self.len.saturating_add(piece.len());
        self.pieces.push_back(piece);
    }

    /// Takes the first piece.
    pub(super) fn pop(&mut self) -> Option<Piece> {
        let piece = self.pieces.pop_front()?;
        self.len = self.len.saturating_sub(piece.len());
        Some(piece)
    }

    /// The `len` bytes behind the first `skipped` ones, or what there is of them, as they lie.
    pub(super) fn parts(&self, mut skipped: usize, mut len: usize) -> Vec<&[u8]> {
        let mut parts = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let waiting = piece.waiting();
            let rest = waiting.get(skipped..).unwrap_or_default();
            skipped = skipped.saturating_sub(waiting.len());
            let part = rest.get(..len).unwrap_or(rest);
            len = len.saturating_sub(part.len());
            if !part.is_empty() {
                parts.push(part);
            }
        }
        parts
    }

    /// Lets the first `len` bytes leave.
    pub(super) fn consume(&mut self, len: usize) {
        let mut left = len;
        while let Some(first) = self.pieces.front_mut().filter(|_| left > 0) {
            let here = first.len().min(left);
            first.consume(here);
            left = left.saturating_sub(here);
            self.len = self.len.saturating_sub(here);
            if first.len() == 0 {
                self.pieces.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::{PIECE_BYTES, Piece, Pieces, WORTH_MOVING_BYTES};

    /// What may be done to pieces.
    #[derive(Debug, Clone)]
    enum Step {
        Put(usize),
        Push(usize),
        Pop,
        Consume(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let len = prop_oneof![0..40_usize, 0..2 * PIECE_BYTES];
        let most = prop_oneof![0..40_usize, 0..=PIECE_BYTES];
        prop_oneof![
            3 => len.clone().prop_map(Step::Put),
            3 => most.prop_map(Step::Push),
            1 => Just(Step::Pop),
            3 => len.prop_map(Step::Consume),
        ]
    }

    fn bytes(first: &mut u8, len: usize) -> Vec<u8> {
        let bytes = (0..len).map(|_| {
            *first = first.wrapping_add(1);
            *first
        });
        bytes.collect()
    }

    fn all(pieces: &Pieces) -> Vec<u8> {
        pieces.parts(0, usize::MAX).concat()
    }

    proptest! {
        #[test]
        fn they_give_what_was_put_in_its_order(
            steps in prop::collection::vec(step(), 0..30),
            (skipped, len) in (0..3 * PIECE_BYTES, 0..2 * PIECE_BYTES),
        ) {
            let (mut pieces, mut model, mut next) = (Pieces::default(), VecDeque::new(), 0);
            for step in steps {
                match step {
                    Step::Put(len) => {
                        let put = bytes(&mut next, len);
                        pieces.put(&put);
                        model.extend(put);
                    }
                    Step::Push(len) => {
                        let put = bytes(&mut next, len);
                        pieces.push(Piece::of(put.clone()));
                        model.extend(put);
                    }
                    Step::Pop => {
                        let popped = pieces.pop();
                        let popped = popped.as_ref().map_or(&[][..], Piece::waiting);
                        prop_assert!(model.drain(..popped.len()).eq(popped.iter().copied()));
                    }
                    Step::Consume(len) => {
                        pieces.consume(len);
                        model.drain(..len.min(model.len()));
                    }
                }
                prop_assert_eq!(pieces.len(), model.len());
                prop_assert!(pieces.pieces.len() <= 2 * (model.len() / WORTH_MOVING_BYTES) + 3);
            }
            prop_assert!(model == all(&pieces));
            let some = model.iter().copied().skip(skipped).take(len).collect::<Vec<_>>();
            prop_assert!(pieces.parts(skipped, len).concat() == some);
        }
    }

    #[test]
    fn bytes_that_come_one_by_one_lie_in_few_pieces() {
        let mut pieces = Pieces::default();
        for _ in 0..2 * PIECE_BYTES {
            pieces.push(Piece::of(vec![1]));
        }
        assert_eq!(pieces.pieces.len(), 2);
    }

    #[test]
    fn a_piece_takes_no_more_than_it_has_room_for() {
        let mut piece = Piece::new();
        let place = piece.waiting().as_ptr();
        assert_eq!(piece.put(&[1; PIECE_BYTES - 1]), PIECE_BYTES - 1);
        piece.consume(100);
        assert_eq!(piece.put(&[2; 5]), 1, "what left makes no room");
        assert_eq!(piece.put(&[2; 5]), 0);
        assert_eq!(piece.len(), PIECE_BYTES - 100);
        piece.consume(PIECE_BYTES);
        assert_eq!((piece.len(), piece.bytes.as_ptr()), (0, place));
    }
}
