//! Property tests of the desk.
