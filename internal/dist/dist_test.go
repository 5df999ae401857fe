package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPackageVersion(t *testing.T) {
	t.Parallel()
	for version, expected := range map[string]string{
		"1.2.3":                             "1.2.3",
		"1.2.3-rc.1":                        "1.2.3~rc.1",
		"0.0.0-20261130055850-944e78de63d3": "0.0.0~20261130055850.944e78de63d3",
		"1.2.4-0.20261130055850-944e78de63d3+dirty": "1.2.4~0.20261130055850.944e78de63d3+dirty",
		"1.2.3+dirty": "1.2.3+dirty",
	} {
		require.Equal(t, expected, packageVersion(version))
	}
}

func TestLicencesOf(t *testing.T) {
	t.Parallel()
	for text, expected := range map[string][]string{
		"Mozilla Public License Version 2.0\n=====":                                   {"MPL-2.0"},
		"                Apache License\n          Version 2.0, January 2004":         {"Apache-2.0"},
		"Permission is hereby granted, free\n// of charge, to any person":             nil,
		"Permission is hereby granted, free\n> of charge, to any person":              {"MIT"},
		"Redistribution and use in source and binary forms":                           {"BSD-2-Clause"},
		"Redistribution and use in source and binary forms … Neither the\n  name of":  {"BSD-3-Clause"},
		"/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */\nfree of charge": {"BSD-3-Clause OR GPL-2.0-only"},
		"All rights reserved.": nil,
		"Apache License, Version 2.0 … Permission is hereby granted, free of charge": {"Apache-2.0", "MIT"},
	} {
		require.Equal(t, expected, licencesOf(text), text)
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, "https://github.com/riverqueue/river", sourceOf("github.com/riverqueue/river/riverdriver", "v0.51.2"))
	require.Equal(t, "https://github.com/riverqueue/riverui", sourceOf("riverqueue.com/riverui", "v0.22.0"))
	require.Equal(t, "https://pkg.go.dev/golang.org/x/net@v0.61.0", sourceOf("golang.org/x/net", "v0.61.0"))
}

func TestUnknownLicenceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("Ask me first."), 0o600))
	c := component{name: "example.com/strange", version: "v1.0.0"}
	require.EqualError(t, c.readModule(dir), "example.com/strange v1.0.0 has no licence that is known here: look at it and teach licencesOf")
}

func TestNoticesHaveEachTextOnce(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	shared := []text{{file: "LICENSE", content: "The text.\n"}}
	require.NoError(t, writeNotices(&b, "1.2.3", []component{
		{name: "a", version: "v1", source: "https://a.example", licences: []string{"MIT"}, texts: shared},
		{name: "b", version: "v2", source: "https://b.example", licences: []string{"ISC", "MIT"}, texts: shared},
	}, "More.\n"))
	require.Contains(t, b.String(), "a v1\n    MIT\n    https://a.example\nb v2\n    ISC AND MIT\n    https://b.example\n")
	require.Equal(t, 1, strings.Count(b.String(), "The text."))
	require.Contains(t, b.String(), "\na v1: LICENSE\nb v2: LICENSE\n\nThe text.\n")
	require.True(t, strings.HasSuffix(b.String(), "\nMore.\n"))
}

// Modes and times of this machine's files are not those of the archive.
func TestArchiveIsTheSameForTheSameFiles(t *testing.T) {
	t.Parallel()
	at := time.Unix(1796017730, 0)
	archive := func(mode os.FileMode) string {
		dir := filepath.Join(t.TempDir(), "tree")
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "plugins"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "plugins", "many"), []byte("binary"), mode|0o100))
		require.NoError(t, os.Symlink("many", filepath.Join(dir, "plugins", "one")))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("text"), mode))
		path := filepath.Join(t.TempDir(), "a.tar.gz")
		require.NoError(t, writeArchive(path, dir, "top", at))
		return path
	}
	one, other := archive(0o600), archive(0o644)
	first, err := os.ReadFile(one)
	require.NoError(t, err)
	second, err := os.ReadFile(other)
	require.NoError(t, err)
	require.Equal(t, first, second)

	f, err := os.Open(one)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var found []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Equal(t, at.Unix(), h.ModTime.Unix())
		require.Zero(t, h.Uid+h.Gid)
		found = append(found, h.FileInfo().Mode().String()+" "+h.Name+" "+h.Linkname)
	}
	require.Equal(t, []string{
		"drwxr-xr-x top/ ", "-rw-r--r-- top/README.md ", "drwxr-xr-x top/plugins/ ",
		"-rwxr-xr-x top/plugins/many ", "Lrwxr-xr-x top/plugins/one many",
	}, found)
}

func TestFailedMakingLeavesNothing(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "dist")
	r := &release{root: t.TempDir(), out: out, build: "false", plugins: []string{"target-webhook"}, log: io.Discard}
	require.NoError(t, os.MkdirAll(out, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(out, sumsFile), []byte("of an older one"), 0o600))
	require.ErrorContains(t, r.make(t.Context(), platforms()), "amd64: run ")
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestUncommittedChangesAreRefused(t *testing.T) {
	t.Parallel()
	r := &release{root: t.TempDir(), log: io.Discard}
	git := func(args ...string) {
		args = append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)
		_, err := r.output(t.Context(), "git", args...)
		require.NoError(t, err)
	}
	git("init", "--quiet")
	git("commit", "--quiet", "--allow-empty", "--message", "first", "--date", "2026-11-30T12:00:00Z")
	require.NoError(t, r.examine(t.Context()))
	require.False(t, r.time.IsZero())
	require.NoError(t, os.WriteFile(filepath.Join(r.root, "new"), nil, 0o600))
	require.ErrorContains(t, r.examine(t.Context()), "make dist DIST_FLAGS=-dirty\n?? new")
	r.dirty = true
	require.NoError(t, r.examine(t.Context()))
}

func TestMendReplacesOneText(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "mended")
	require.NoError(t, os.WriteFile(filepath.Join(from, "a.go"), []byte("x := max(1, 2)"), 0o400))
	m := mend{module: "example.com/a", file: "a.go", old: "max(1, 2)", new: "2"}
	require.NoError(t, m.copy(from, to))
	content, err := os.ReadFile(filepath.Join(to, "a.go"))
	require.NoError(t, err)
	require.Equal(t, "x := 2", string(content))
	require.ErrorContains(t, m.copy(to, filepath.Join(t.TempDir(), "again")), "has no max(1, 2) any more")
}

func TestPlatformsOf(t *testing.T) {
	t.Parallel()
	all, err := platformsOf(nil)
	require.NoError(t, err)
	require.Len(t, all, 3)
	_, err = platformsOf([]string{"amd64", "mips"})
	require.EqualError(t, err, "mips is not made: DIST_ARCHES may have amd64, arm64 and armv7")
}
