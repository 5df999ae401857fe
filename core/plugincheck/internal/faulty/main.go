// Command faulty is a plugin that does one thing wrong, for the tests of package plugincheck.
// What that is follows from the name of its file: hookarr-target-prints-later, for one, writes
// to standard output after its handshake, and hookarr-target-well does nothing wrong. It is
// built on the wire contract alone, without the SDK's server half, which does not let an author
// do these things.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// plugin is what this process is.
type plugin struct {
	kind, fault string
	instances   *instances
}

func main() {
	kind, fault, _ := strings.Cut(strings.TrimPrefix(filepath.Base(os.Args[0]), "hookarr-"), "-")
	p := &plugin{kind: kind, fault: fault, instances: newInstances()}
	if err := p.run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p *plugin) is(fault string) bool { return p.fault == fault }

func (p *plugin) run() error {
	if os.Getenv("HOOKARR_PLUGIN") == "" {
		switch {
		case p.is("by-hand-content"):
			return nil
		case p.is("by-hand-prints"):
			_, _ = fmt.Fprintln(os.Stdout, "I am a plugin")
		case p.is("by-hand-mute"):
			os.Exit(1)
		case p.is("by-hand-stays"):
			_, _ = io.Copy(io.Discard, os.Stdin)
		}
		return errors.New("faulty is a plugin of Hookarr, which starts it by itself")
	}
	switch {
	case p.is("exits"):
		return errors.New("cannot find my library")
	case p.is("prints-first"):
		_, _ = fmt.Fprintln(os.Stdout, "Hello!")
	case p.is("speaks7"):
		_, _ = fmt.Fprintln(os.Stdout, "1|7|unix|/nowhere|grpc|")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	p.handleSignals()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if p.is("outlives-host") {
			select {}
		}
		if p.is("leaves-child") {
			_ = exec.Command("sleep", "60").Start() //nolint:noctx // its purpose
			time.Sleep(time.Minute)
		}
		close(ended)
	}()
	return p.serve(ended)
}

func (p *plugin) handleSignals() {
	if !p.is("dies-of-sigint") {
		signal.Ignore(syscall.SIGINT)
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		switch {
		case p.is("ignores-sigterm"):
			return
		case p.is("dies-of-sigterm"):
			os.Exit(3)
		}
		os.Exit(0)
	}()
}
