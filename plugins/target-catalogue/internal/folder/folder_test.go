package folder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/sdk"
)

// added is an event that adds a title.
func added(source string, n int) sdk.Event {
	return sdk.Event{
		ID: fmt.Sprintf("event-%s-%06d", source, n), Source: source, App: "radarr", Instance: "Radarr", Type: sdk.TypeMediaAdded,
		Time:  time.Date(2026, 11, 1, 10, 0, 0, n*1000, time.UTC),
		Media: &sdk.Media{Kind: "movie", ID: strconv.Itoa(n), Title: fmt.Sprintf("The Film %d", n), IDs: map[string]string{"tmdb": strconv.Itoa(n)}},
	}
}

func keep(t *testing.T, f *Folder, n int) {
	t.Helper()
	require.NoError(t, f.Keep(t.Context(), fmt.Sprintf("d%d", n), []sdk.Event{added("radarr", n)}))
}

func requireClass(t *testing.T, want sdk.Class, err error, says string) {
	t.Helper()
	class, _ := sdk.ClassOf(err)
	require.Equal(t, want, class, err)
	require.ErrorContains(t, err, says)
}

// changesOf are the numbers of the changes in a file, of which each line is one.
func changesOf(t *testing.T, name string) []int64 {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	require.True(t, bytes.HasSuffix(data, []byte("\n")))
	var all []int64
	for line := range strings.Lines(string(data)) {
		var c change
		require.NoError(t, json.Unmarshal([]byte(line), &c), line)
		all = append(all, c.Seq)
	}
	return all
}

func titlesOf(t *testing.T, dir, source string) []any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, source, titlesFile))
	require.NoError(t, err)
	var d struct{ Titles []any }
	require.NoError(t, json.Unmarshal(data, &d))
	return d.Titles
}

func TestFilesAreForTheirReaders(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	keep(t, Open(dir, 0o640), 1)
	for name, mode := range map[string]fs.FileMode{
		"radarr/titles.json": 0o640, "radarr/changes.ndjson": 0o640, "radarr": fs.ModeDir | 0o750, ".": fs.ModeDir | 0o750,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), name)
	}
	require.Equal(t, fs.FileMode(0o700), Open(dir, 0o600).dirMode())
	require.Equal(t, fs.FileMode(0o755), Open(dir, 0o644).dirMode())
}

// A process that ended between the two files, or in the middle of a line, is made up for.
func TestChangesAreCompleted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "radarr", changesFile)
	for n := range 3 {
		keep(t, Open(dir, 0o600), n)
	}
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for _, left := range []int{last, last + 7, len(whole) - 1} {
		require.NoError(t, os.WriteFile(name, whole[:left], 0o600))
		keep(t, Open(dir, 0o600), 2) // the same delivery: it was never acknowledged
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(whole), string(data))
	}
}

// Paths are as long as whoever sends an event makes them: nothing after one may be lost or
// refused for it.
func TestLongChangesAreFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "radarr", changesFile)
	long := added("radarr", 1)
	long.Type, long.Files = sdk.TypeMediaImported, []sdk.File{{ID: "7", Path: "/movies/" + strings.Repeat("x", 300<<10)}}
	require.NoError(t, Open(dir, 0o600).Keep(t.Context(), "d1", []sdk.Event{long}))
	before := changesOf(t, name)
	keep(t, Open(dir, 0o600), 2)
	all := changesOf(t, name)
	require.Len(t, all, len(before)+1)
	require.Equal(t, before, all[:len(before)])

	// The beginning of a long line, which a crash has left, is written over.
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, append(bytes.Clone(whole), `{"seq":9,"path":"`+strings.Repeat("y", 300<<10)...), 0o600))
	keep(t, Open(dir, 0o600), 3)
	require.Equal(t, append(all, all[len(all)-1]+1), changesOf(t, name))
}

func TestChangesAreBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := Open(dir, 0o600)
	keep(t, f, 1)
	name, former := filepath.Join(dir, "radarr", changesFile), filepath.Join(dir, "radarr", formerFile)
	line, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, bytes.Repeat(line, maxChanges/len(line)+1), 0o600))
	keep(t, f, 2)
	keep(t, f, 3)
	require.Equal(t, []int64{2, 3}, changesOf(t, name))
	info, err := os.Stat(former)
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(maxChanges))
	require.Len(t, titlesOf(t, dir, "radarr"), 3)
}

// A plugin that is replaced drains while the new one works already.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const writers, each = 3, 20
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			f := Open(dir, 0o600)
			for n := range each {
				id := w*each + n
				errs[w] = errors.Join(errs[w], f.Keep(t.Context(), strconv.Itoa(id), []sdk.Event{added("radarr", id), added("sonarr", id)}))
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, source := range []string{"radarr", "sonarr"} {
		require.Len(t, titlesOf(t, dir, source), writers*each)
		require.Len(t, changesOf(t, filepath.Join(dir, source, changesFile)), writers*each)
	}
}

func TestWaitForALockEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := os.Create(filepath.Join(dir, lockFile))
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Close()) }()
	require.NoError(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	requireClass(t, sdk.ClassRetryable, Open(dir, 0o600).Keep(ctx, "d", []sdk.Event{added("radarr", 1)}), "wait for another process")
}

func TestTroubleWithFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep(t, Open(dir, 0o600), 1)
	name := filepath.Join(dir, "radarr", titlesFile)
	for content, says := range map[string]string{
		`{"version": 7}`:         "has version 7, made by a newer plugin, and this one knows version 1",
		`{"version": 1, "titles`: "is damaged: restore it, or remove it",
		`[]`:                     "is damaged",
		``:                       "is damaged",
	} {
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		requireClass(t, sdk.ClassMisconfigured, Open(dir, 0o600).Keep(t.Context(), "d", []sdk.Event{added("radarr", 2)}), says)
		_, err := Open(dir, 0o600).Check(t.Context())
		requireClass(t, sdk.ClassMisconfigured, err, says)
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, content, string(data), "it is left as it is")
	}
	requireClass(t, sdk.ClassMisconfigured, Open(filepath.Join(name, "catalogue"), 0o600).Keep(t.Context(), "d", []sdk.Event{added("radarr", 2)}), "check the path")
	requireClass(t, sdk.ClassPermanent, Open(dir, 0o600).Keep(t.Context(), "d", []sdk.Event{added("../radarr", 2)}), "is not the name of a source")
}

// A full disk leaves the files as they are, and what did not fit is written once there is
// room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("only a user who may mount has a small disk: %s", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	f := Open(dir, 0o600)
	keep(t, f, 1)
	ballast := filepath.Join(dir, "ballast")
	require.ErrorIs(t, os.WriteFile(ballast, make([]byte, 300<<10), 0o600), unix.ENOSPC)
	before, err := os.ReadFile(filepath.Join(dir, "radarr", titlesFile))
	require.NoError(t, err)
	var many []sdk.Event
	for n := range 50 {
		many = append(many, added("radarr", n))
	}
	for range 2 {
		requireClass(t, sdk.ClassRetryable, f.Keep(t.Context(), "many", many), "is full; the files are as they were")
	}
	after, err := os.ReadFile(filepath.Join(dir, "radarr", titlesFile))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	require.NoError(t, os.Remove(ballast))
	require.NoError(t, f.Keep(t.Context(), "many", many))
	require.Len(t, titlesOf(t, dir, "radarr"), 50)
	require.Len(t, changesOf(t, filepath.Join(dir, "radarr", changesFile)), 50)
}

func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, ""); err != nil {
		t.Skipf("only a user who may mount has a disk that nobody may write: %s", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	requireClass(t, sdk.ClassMisconfigured, Open(dir, 0o600).Keep(t.Context(), "d", []sdk.Event{added("radarr", 1)}), "is read-only")
}
