package main

import (
	"os"
	"strings"

	"github.com/hookarr/hookarr/core/sandbox/sandboxtest"
)

// attemptAsProgram makes an attempt to break out, and ends, in a process that was started
// by such an attempt.
func attemptAsProgram() { sandboxtest.Main(os.Stderr) }

// attempt tries to break out and returns what became of it. What it is and what there is to
// reach are separated by a line's end.
func attempt(text string) string {
	name, world, _ := strings.Cut(text, "\n")
	w, err := sandboxtest.ReadWorld(world)
	w.Own = os.TempDir()
	if err == nil {
		err = sandboxtest.Try(name, w)
	}
	if err != nil {
		return "refused: " + err.Error()
	}
	return "escaped"
}
