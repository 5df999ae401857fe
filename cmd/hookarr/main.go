// Command hookarr takes the webhooks of Arr applications and delivers them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop; the next one does not ask.
	context.AfterFunc(ctx, restore)
	c := &cli{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isatty.IsTerminal(os.Stdin.Fd())}
	os.Exit(c.run(ctx, os.Args[1:]))
}
