package fakeserver_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
)

func paths(entries []fakeserver.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Path)
	}
	return all
}

func TestDisk(t *testing.T) {
	t.Parallel()
	var d fakeserver.Disk
	d.Add("/media/tv/Show/Season 01/a.mkv", 1)
	d.Add("/media/tv/Show/Season 01/b.mkv", 2)
	in, ok := d.List("/media/tv/Show")
	require.True(t, ok)
	require.Equal(t, []string{"/media/tv/Show/Season 01"}, paths(in))
	d.Rename("/media/tv/Show/Season 01/b.mkv", "/media/tv/Show/Season 01/c.mkv")
	require.Equal(t, []string{"/media/tv/Show/Season 01/a.mkv", "/media/tv/Show/Season 01/c.mkv"}, paths(d.Files("/media")))
	d.Remove("/media/tv/Show/Season 01/a.mkv")
	d.Remove("/media/tv/Show/Season 01/c.mkv")
	in, ok = d.List("/media/tv/Show/Season 01")
	require.True(t, ok, "the folder stays")
	require.Empty(t, in)
	d.Remove("/media/tv/Show")
	_, ok = d.List("/media/tv/Show")
	require.False(t, ok)
}

func TestMounts(t *testing.T) {
	t.Parallel()
	var d fakeserver.Disk
	d.Add("/mnt/disk/movies/A (2020)/a.mkv", 1)
	d.Unmount("/mnt/disk", false)
	in, ok := d.List("/mnt/disk")
	require.True(t, ok, "a mount point stays")
	require.Empty(t, in)
	require.Empty(t, d.Files("/mnt"))
	d.Unmount("/mnt/disk", true)
	_, ok = d.List("/mnt/disk")
	require.False(t, ok)
	d.Mount("/mnt/disk")
	require.Len(t, d.Files("/mnt"), 1)
}

func TestFilesThatComeLater(t *testing.T) {
	t.Parallel()
	var d fakeserver.Disk
	d.AddLater("/tv/a.mkv", 1, time.Hour)
	_, ok := d.Stat("/tv/a.mkv")
	require.False(t, ok)
	d.AddLater("/tv/a.mkv", 1, time.Millisecond)
	require.Eventually(t, func() bool { _, ok := d.Stat("/tv/a.mkv"); return ok }, time.Minute, time.Millisecond)
}

func TestWindowsDisks(t *testing.T) {
	t.Parallel()
	var d fakeserver.Disk
	d.Add(`\\nas\media\tv\a.mkv`, 1)
	in, ok := d.List(`\\nas\media\tv`)
	require.True(t, ok)
	require.Equal(t, []string{`\\nas\media\tv\a.mkv`}, paths(in))
}
