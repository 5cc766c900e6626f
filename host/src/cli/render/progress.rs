//! Shows events while a command works: the live board on a terminal, plain lines elsewhere, nothing with `--quiet`.
//!
//! Owns the one thread that writes: whoever tells an event goes on at once, though nobody may be reading the terminal (`less`,
//! Ctrl-S). Everything goes to stderr.

use super::super::output::Output;
use super::board::Board;
use super::plain::{Plain, text_of};
use crate::core::{Event, Events};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Ten times a second looks alive and costs nothing.
const REDRAW: Duration = Duration::from_millis(100);

/// Lines that may wait to be written; of what nodes say, half as many. What comes beyond that is not shown.
const WAITING: usize = 65_536;

/// Lines that are written at once.
const AT_ONCE: usize = 256;

/// Progress of one command. Dropping it removes the board from the terminal, when all is written.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    out: Output,
    start: Instant,
    /// Never held while anything is written.
    view: Mutex<View>,
    told: Sender<Told>,
    waiting: AtomicUsize,
    dropped: AtomicUsize,
}

enum View {
    Quiet,
    Plain(Plain),
    Live(Board),
}

/// What the writer is told.
enum Told {
    Line(String),
    /// The board goes away, or comes back. Answered when it is so and all before it is written.
    Pause(bool, Sender<()>),
    End,
}

impl Progress {
    pub(crate) fn start(out: &Output) -> Self {
        let view = if out.quiet() {
            View::Quiet
        } else if out.live() {
            View::Live(Board::default())
        } else {
            View::Plain(Plain::new(out.verbose()))
        };
        let is_quiet = matches!(view, View::Quiet);
        let (told, heard) = channel();
        let shared = Arc::new(Shared {
            out: out.clone(),
            start: Instant::now(),
            view: Mutex::new(view),
            told,
            waiting: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        });
        let writer = (!is_quiet).then(|| {
            let shared = Arc::clone(&shared);
            // Without the thread lines are written where they are told, and there is no board.
            std::thread::Builder::new().name("progress".into()).spawn(move || Writer::new(shared, heard).work()).ok()
        });
        Self { shared, writer: writer.flatten() }
    }

    /// From now on the board shows how long all is thought to take.
    pub(crate) fn estimate(&self, time: Duration) {
        let mut view = self.shared.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let View::Live(board) = &mut *view {
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
        let began = Instant::now();
        self.pause(true);
        let result = work();
        self.pause(false);
        if let View::Live(board) = &mut *self.0.view.lock().unwrap_or_else(PoisonError::into_inner) {
            board.answered(began.elapsed());
        }
        result
    }

    fn pause(&self, pause: bool) {
        let (done, is_done) = channel();
        if self.0.told.send(Told::Pause(pause, done)).is_ok() {
            // An error says that there is no writer, and so no board.
            let _ = is_done.recv();
        }
    }
}

impl Shared {
    fn show(&self, event: &Event) {
        let now = self.start.elapsed();
        let is_output = matches!(event, Event::Output { .. });
        // Told under the lock, so that lines are in the order of their events.
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        let line = match &mut *view {
            View::Quiet => None,
            View::Plain(plain) => plain.line(event, now),
            View::Live(board) => {
                board.note(event, now);
                let wanted = match event {
                    Event::Output { .. } | Event::OutputSet { .. } => self.out.verbose() > 0,
                    _ => true,
                };
                text_of(event).filter(|_| wanted)
            }
        };
        let Some(line) = line else { return };
        let room = if is_output { WAITING / 2 } else { WAITING };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= room {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        } else if let Err(unheard) = self.told.send(Told::Line(line))
            && let Told::Line(line) = unheard.0
        {
            self.out.error(&line);
        }
    }
}

/// Writes what was told, and the board between.
struct Writer {
    shared: Arc<Shared>,
    heard: Receiver<Told>,
    bar: Option<ProgressBar>,
    paused: bool,
}

impl Writer {
    fn new(shared: Arc<Shared>, heard: Receiver<Told>) -> Self {
        let bar = shared.out.live().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { shared, heard, bar, paused: false }
    }

    fn work(mut self) {
        let mut next = Instant::now() + REDRAW;
        loop {
            match self.heard.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(told) => {
                    if !self.take(told) {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= next {
                self.redraw();
                next = Instant::now() + REDRAW;
            }
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Takes one and what came right after it; `false` at the end.
    fn take(&mut self, first: Told) -> bool {
        let mut lines = Vec::new();
        let mut next = Some(first);
        while let Some(told) = next.take() {
            match told {
                Told::Line(line) => {
                    lines.push(line);
                    next = if lines.len() < AT_ONCE { self.heard.try_recv().ok() } else { None };
                }
                Told::Pause(pause, done) => {
                    self.write(&std::mem::take(&mut lines));
                    self.paused = pause;
                    if let Some(bar) = self.bar.as_ref().filter(|_| pause) {
                        bar.set_message("");
                        bar.tick();
                    }
                    let _ = done.send(()); // who asked may have gone
                }
                Told::End => {
                    self.write(&lines);
                    return false;
                }
            }
        }
        self.write(&lines);
        true
    }

    fn write(&self, lines: &[String]) {
        let write = || {
            if !lines.is_empty() {
                self.shared.out.error(&lines.join("\n"));
            }
            let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                self.shared.out.error(&format!("note: {dropped} lines are not shown: nobody was reading them"));
            }
        };
        match &self.bar {
            Some(bar) if !lines.is_empty() => bar.suspend(write),
            _ => write(),
        }
        self.shared.waiting.fetch_sub(lines.len(), Ordering::Relaxed);
    }

    fn redraw(&self) {
        let now = self.shared.start.elapsed();
        let mut view = self.shared.view.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *view, &self.bar) {
            (View::Plain(plain), _) => {
                let late = plain.still_running(now);
                drop(view);
                late.iter().for_each(|line| self.shared.out.error(line));
            }
            (View::Live(board), Some(bar)) if !self.paused => {
                let (height, width) = console_size();
                // A line of the terminal's full width would wrap; the last line is the cursor's.
                let (width, height) = (width.saturating_sub(1), height.saturating_sub(2));
                let text = board.text(now, width, height, self.shared.out.color_err());
                drop(view);
                bar.set_message(text);
                bar.tick();
            }
            _ => {}
        }
    }
}

/// Lines and columns of the terminal. What has no size, as a terminal that a program made, is taken as an old one.
fn console_size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    let or = |said: Option<u16>, old: usize| said.filter(|n| *n > 0).map_or(old, usize::from);
    (or(size.map(|size| size.ws_row), 24), or(size.map(|size| size.ws_col), 80))
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            let _ = self.shared.told.send(Told::End);
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::args::Globals;
    use super::*;

    /// A writer that nobody lets write: as with a terminal that is stopped.
    fn stopped(verbose: u8) -> (Arc<Shared>, Receiver<Told>) {
        let out = Output::plain(&Globals { verbose, ..Globals::default() });
        let (told, heard) = channel();
        let view = Mutex::new(View::Plain(Plain::new(verbose)));
        let (waiting, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        (Arc::new(Shared { out, start: Instant::now(), view, told, waiting, dropped }), heard)
    }

    #[test]
    fn who_tells_goes_on_though_nobody_reads_and_output_goes_first() {
        let (shared, heard) = stopped(1);
        let output = Event::Output { node: "web-1".into(), line: "noise".into() };
        for _ in 0..WAITING {
            shared.show(&output);
        }
        shared.show(&Event::Note { text: "what matters".into() });
        let lines: Vec<_> = heard.try_iter().collect();
        assert_eq!((lines.len(), shared.dropped.load(Ordering::Relaxed)), (WAITING / 2 + 1, WAITING / 2));
        assert!(matches!(lines.last(), Some(Told::Line(line)) if line == "note: what matters"));
    }

    #[test]
    fn who_stands_aside_waits_until_all_before_is_written() {
        let (shared, heard) = stopped(0);
        let writer = std::thread::spawn({
            let shared = shared.clone();
            move || Writer::new(shared, heard).work()
        });
        for _ in 0..3 {
            shared.show(&Event::Note { text: "written".into() });
        }
        assert_eq!(Aside(shared.clone()).run(|| shared.waiting.load(Ordering::Relaxed)), 0);
        shared.told.send(Told::End).unwrap();
        writer.join().unwrap();
    }
}
