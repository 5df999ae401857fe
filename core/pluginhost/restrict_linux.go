package pluginhost

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// maxFiles is how many files, connections among them, a plugin may have open.
	maxFiles = 1024
	// maxFileSize is how long, in bytes, a file may become by what a plugin writes to it,
	// one in memory (memfd_create) too, which counts for no bound of resident memory.
	maxFileSize = 1 << 30
	// oomBias is by how much more a plugin is the choice of a kernel that is short of memory
	// than this process, of 1000.
	oomBias = 200
)

// restrict bounds what a process takes of what the kernel counts by process: open files,
// their size, and dumps of its memory, which has secrets; a handler to which core_pattern pipes is told
// the bound and has to keep to it.
//
// The process runs already. A bound could only be had from its first instruction by setting
// it on this whole process around the fork, under which every other part of it would open
// files. What a plugin opened in that moment stays open, and it cannot open more than its
// bound; and it has no secret before it is configured.
func restrict(p *os.Process, setLimits func(pid int) error) error {
	err := setLimits(p.Pid)
	if err == nil || errors.Is(err, unix.ESRCH) { // it has ended, which others find out
		return nil
	}
	_ = p.Kill()
	_, _ = p.Wait()
	return err
}

// setLimits sets the bounds of a process.
func setLimits(pid int) error {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("read limit of open files: %w", err)
	}
	bound := min(files.Max, maxFiles)
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: bound, Max: bound}, nil); err != nil {
		return fmt.Errorf("limit open files of plugin: %w", err)
	}
	var size unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &size); err != nil {
		return fmt.Errorf("read limit of file size: %w", err)
	}
	bound = min(size.Max, maxFileSize)
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bound, Max: bound}, nil); err != nil {
		return fmt.Errorf("limit file size of plugin: %w", err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return fmt.Errorf("limit core dumps of plugin: %w", err)
	}
	preferForOOM(pid)
	return nil
}

// preferForOOM has a kernel that is short of memory end the plugin rather than this process.
// Where /proc cannot be written, the kernel goes by size alone.
func preferForOOM(pid int) {
	own, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return
	}
	if score, err := strconv.Atoi(string(bytes.TrimSpace(own))); err == nil {
		_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte(strconv.Itoa(min(score+oomBias, 1000))), 0)
	}
}
