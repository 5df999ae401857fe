package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// readTimeout bounds the wait for what comes through a pipe.
const readTimeout = 5 * time.Second

var (
	errTooLarge  = errors.New("it is a device or too large")
	errEmptyPipe = errors.New("it is a pipe into which nobody has written: name a file")
)

// ReadFile returns what is in a file of at most limit bytes. Whatever the name leads to, it
// returns soon: a reload waits for it, and the end of the process for the reload. A pipe is
// read where its writer is there already, as with <(…) of a shell.
func ReadFile(name string, limit int64) ([]byte, fs.FileInfo, error) {
	fail := func(err error) ([]byte, fs.FileInfo, error) {
		return nil, nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Mode()&fs.ModeDevice != 0 || info.Size() > limit {
		return fail(errTooLarge)
	}
	_ = f.SetReadDeadline(time.Now().Add(readTimeout)) // an ordinary file has none, and needs none
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, nil, err
	case int64(len(data)) > limit:
		return fail(errTooLarge)
	case len(data) == 0 && info.Mode()&fs.ModeNamedPipe != 0:
		return fail(errEmptyPipe)
	}
	return data, info, nil
}
