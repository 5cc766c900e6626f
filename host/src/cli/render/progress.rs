//! Shows events while a command works: the live board on a terminal, plain lines elsewhere, nothing with `--quiet`.
//!
//! Owns the thread that redraws. Everything goes to stderr.

use super::super::output::Output;
use super::board::Board;
use super::plain::{Plain, text_of};
use crate::core::{Cancel, Event, Events};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Ten times a second looks alive and costs nothing.
const REDRAW: Duration = Duration::from_millis(100);

/// Progress of one command. Dropping it removes the board from the terminal.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    stop: Cancel,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    out: Output,
    start: Instant,
    view: Mutex<View>,
}

enum View {
    Quiet,
    Plain(Plain),
    Live { board: Board, bar: ProgressBar, paused: bool },
}

impl Progress {
    pub(crate) fn start(out: &Output) -> Self {
        let view = if out.quiet() {
            View::Quiet
        } else if out.live() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            View::Live { board: Board::default(), bar, paused: false }
        } else {
            View::Plain(Plain::new(out.verbose()))
        };
        let shared = Arc::new(Shared { out: out.clone(), start: Instant::now(), view: Mutex::new(view) });
        let stop = Cancel::default();
        let ticker = {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            let tick = move || {
                while stop.sleep(REDRAW) {
                    shared.redraw();
                }
            };
            // Without the thread the times stand still between events, and nothing else is lost.
            std::thread::Builder::new().name("progress".into()).spawn(tick).ok()
        };
        Self { shared, stop, ticker }
    }

    /// From now on the board shows how long all is thought to take.
    pub(crate) fn estimate(&self, time: Duration) {
        let mut view = self.shared.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let View::Live { board, .. } = &mut *view {
            board.estimate(time);
        }
    }

    /// Where services send their events.
    pub(crate) fn events(&self) -> Events {
        let shared = Arc::clone(&self.shared);
        Events::new(move |event| shared.show(&event))
    }

    /// Runs something that needs the terminal for itself, with the board out of the way.
    pub(crate) fn aside(&self) -> Aside {
        Aside(Arc::clone(&self.shared))
    }
}

/// Lets others use the terminal while a board is on it.
#[derive(Clone)]
pub(crate) struct Aside(Arc<Shared>);

impl Aside {
    /// The board is gone while `work` runs. Nobody is kept waiting meanwhile: events only change what is drawn later.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        self.pause(true);
        let result = work();
        self.pause(false);
        result
    }

    fn pause(&self, pause: bool) {
        let mut view = self.0.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let View::Live { bar, paused, .. } = &mut *view {
            *paused = pause;
            if pause {
                bar.set_message("");
                bar.tick();
            }
        }
    }
}

impl Shared {
    fn show(&self, event: &Event) {
        let now = self.start.elapsed();
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *view {
            View::Quiet => {}
            View::Plain(plain) => {
                if let Some(line) = plain.line(event, now) {
                    self.out.error(&line);
                }
            }
            View::Live { board, bar, .. } => {
                board.note(event, now);
                let wanted = match event {
                    Event::Output { .. } | Event::OutputSet { .. } => self.out.verbose() > 0,
                    _ => true,
                };
                if let Some(text) = text_of(event).filter(|_| wanted) {
                    bar.suspend(|| self.out.error(&text));
                }
            }
        }
    }

    fn redraw(&self) {
        let now = self.start.elapsed();
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *view {
            View::Quiet => {}
            View::Plain(plain) => plain.still_running(now).iter().for_each(|line| self.out.error(line)),
            View::Live { paused: true, .. } => {}
            View::Live { board, bar, .. } => {
                let (height, width) = console_size();
                // A line of the terminal's full width would wrap; the last line is the cursor's.
                bar.set_message(board.text(
                    now,
                    width.saturating_sub(1),
                    height.saturating_sub(2),
                    self.out.color_err(),
                ));
                bar.tick();
            }
        }
    }
}

/// Lines and columns of the terminal.
fn console_size() -> (usize, usize) {
    // comfy-table asks the system for the width; what it cannot tell is taken as an old terminal's.
    // So is what has no size at all, as a terminal that a program made.
    let width = comfy_table::Table::new().width().filter(|width| *width > 0).map_or(80, usize::from);
    (24, width)
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop.set();
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
        let view = self.shared.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let View::Live { bar, .. } = &*view {
            bar.finish_and_clear();
        }
    }
}
