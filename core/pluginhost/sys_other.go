//go:build !linux

package pluginhost

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// startProcesses serves starts until requests is closed. Without Pdeathsig a plugin
// learns of this process's death from the end of its standard input alone.
func startProcesses(requests <-chan startRequest, _ func(pid int) error) {
	for r := range requests {
		p, err := r.start()
		r.started <- startResult{p, err}
	}
}

func processAttr(bool) *syscall.SysProcAttr { return nil }

// groupLives knows nothing of groups: the process alone counts.
func groupLives(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

// killGroup ends the process alone.
func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

// execPath returns the file's own path: between check and execution its owner could
// replace it, and only its owner.
func execPath(_ string, f *os.File) (string, error) { return f.Name(), nil }

func reap(p *os.Process) (*os.ProcessState, error) { return p.Wait() }

// lockFile locks nothing.
func lockFile(*os.File) error { return errors.ErrUnsupported }

// noExec knows nothing: whoever starts the file sees.
func noExec(*os.File) bool { return false }

// owner knows nothing: only modes are checked.
func owner(fs.FileInfo) (uid int, known bool) { return 0, false }

// foreign reports whether a process ended without an exit code: by a signal.
func foreign(state *os.ProcessState) bool { return state.ExitCode() == -1 }
