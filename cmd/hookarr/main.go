//go:build !man

// Command hookarr takes the webhooks of Arr applications and delivers them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // quiet hours and digests name time zones, which a bare container lacks

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop; the next one does not ask.
	context.AfterFunc(ctx, restore)
	c := &cli{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isatty.IsTerminal(os.Stdin.Fd())}
	c.width, c.live = widthOf(os.Stdout), isatty.IsTerminal(os.Stderr.Fd())
	// https://no-color.org
	c.colors = c.width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	os.Exit(c.run(ctx, os.Args[1:]))
}

// widthOf is how many cells wide a terminal is, or 0 for what is none.
func widthOf(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
