//go:build linux

// Package sandboxtest tries to break out of a sandbox, for the tests of programs that
// run in one. Each attempt succeeds outside, on a kernel that has what it uses, and does
// no harm there.
package sandboxtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

const (
	// attemptEnv makes a program that calls Main make one attempt, worldEnv says at what.
	attemptEnv, worldEnv = "HOOKARR_TEST_ATTEMPT", "HOOKARR_TEST_WORLD"
	// refused is the exit status of an attempt that did not succeed.
	refused = 3
)

// World is what there is to reach from inside.
type World struct {
	// Dir is a directory out of reach, with the file secret. Own is one that the program
	// may write to.
	Dir, Own string
	// Self is the program, which calls Main. It has itself open as descriptor 3.
	Self string
	// PID is the process that started the program.
	PID int
	// TCP, Unix, Datagram and Abstract are addresses that somebody listens on.
	TCP, Unix, Datagram, Abstract string
	// Foreign is a program for another architecture that this machine runs, or empty.
	Foreign string
}

func (w World) secret() string { return filepath.Join(w.Dir, "secret") }

func (w World) proc(name string) string { return fmt.Sprintf("/proc/%d/%s", w.PID, name) }

// Attempt is one way to break out.
type Attempt struct {
	Name string
	// Root: others than root, to whom the program belongs, cannot do it outside either.
	Root bool
	// Try returns nil where it succeeds.
	Try func(World) error
}

// Attempts returns all of them.
func Attempts() []Attempt {
	return slices.Concat(onFiles(), onOthersFiles(), onHostsThreads(), onNetwork(), onProcesses(), onKernel())
}

// Command returns the command that makes one attempt, of a program that calls Main.
func Command(program, attempt string, w World) *exec.Cmd {
	cmd := exec.Command(program) //nolint:noctx // it ends by itself
	cmd.Env = []string{attemptEnv + "=" + attempt, worldEnv + "=" + w.String()}
	return cmd
}

// String returns the world as JSON.
func (w World) String() string {
	text, _ := json.Marshal(w) // strings and a number always have JSON
	return string(text)
}

// ReadWorld reads what String returns.
func ReadWorld(text string) (World, error) {
	var w World
	err := json.Unmarshal([]byte(text), &w)
	return w, err
}

// Main makes the attempt that the environment asks for, if it does, and ends the process.
func Main(stderr io.Writer) {
	name := os.Getenv(attemptEnv)
	if name == "" {
		return
	}
	w, err := ReadWorld(os.Getenv(worldEnv))
	if err == nil {
		err = Try(name, w)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		os.Exit(refused)
	}
	os.Exit(0)
}

// Try makes one attempt in this process. It returns nil where that succeeds.
func Try(name string, w World) error {
	all := Attempts()
	i := slices.IndexFunc(all, func(a Attempt) bool { return a.Name == name })
	if i < 0 {
		return errors.New("there is no such attempt")
	}
	return all[i].Try(w)
}
