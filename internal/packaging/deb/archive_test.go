package deb

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unpack returns the directory that the archive of the first build holds.
func unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	output(t, "tar", "--extract", "--gzip", "--file", made(t, "*.tar.gz"), "--directory", dir)
	tops, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, tops, 1)
	return filepath.Join(dir, tops[0].Name())
}

func TestBillAndNoticesListWhatIsLinked(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm", "tar")
	dir := unpack(t)
	notices, err := os.ReadFile(filepath.Join(dir, "THIRD-PARTY-NOTICES.txt"))
	require.NoError(t, err)

	var bom struct {
		Components []struct {
			Ref      string `json:"bom-ref"`
			Purl     string
			Licenses []any
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	content, err := os.ReadFile(made(t, "*.cdx.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &bom))
	licensed := map[string]bool{}
	for _, c := range bom.Components {
		licensed[c.Purl] = len(c.Licenses) > 0
	}
	listed := map[string][]string{}
	for _, d := range bom.Dependencies {
		listed[d.Ref] = d.DependsOn
	}

	for _, file := range []string{"hookarr", "plugins/hookarr-plugins"} {
		info, err := buildinfo.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		expected := []string{"pkg:golang/stdlib@" + strings.TrimPrefix(info.GoVersion, "go")}
		if file == "hookarr" {
			expected = append(expected, "pkg:npm/htmx.org@4.0.1")
			require.Contains(t, string(notices), "htmx 4.0.1\n")
		}
		for _, m := range info.Deps {
			if strings.HasPrefix(m.Path, "github.com/hookarr/") {
				continue
			}
			expected = append(expected, "pkg:golang/"+m.Path+"@"+m.Version)
			require.Contains(t, string(notices), "\n"+m.Path+" "+m.Version+"\n")
		}
		require.ElementsMatch(t, expected, listed[info.Path], file)
		for _, purl := range expected {
			require.True(t, licensed[purl], "%s has no licence", purl)
		}
	}
	for _, module := range []string{"github.com/hashicorp/go-plugin", "github.com/hashicorp/yamux", "github.com/riverqueue/river"} {
		require.Regexp(t, `\n`+module+` v\S+\n    (.* AND )?MPL-2.0\n    https://`+module+`\n`, string(notices))
	}
	require.Contains(t, string(notices), "Mozilla Public License Version 2.0")
	require.Contains(t, string(notices), "react-dom\n    Copyright (c) Meta Platforms", "the queue's pages have packages of their own")
}

func TestArchiveRunsWhereItIsUnpacked(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm", "tar")
	dir := unpack(t)
	config := filepath.Join(dir, "hookarr.yaml")
	output(t, filepath.Join(dir, "hookarr"), "init", "--config", config, "--webhook", "http://127.0.0.1:9/hook")
	require.Contains(t, output(t, filepath.Join(dir, "hookarr"), "check", "--config", config), " is ok\n")
	require.Contains(t, output(t, filepath.Join(dir, "hookarr"), "plugins", "list", "--config", config), "discord")
	require.FileExists(t, filepath.Join(dir, "man", "man1", "hookarr-serve.1"))
	require.FileExists(t, filepath.Join(dir, "man", "man5", "hookarr.yaml.5"))
	output(t, "bash", "-n", filepath.Join(dir, "completions", "hookarr.bash"))
}
