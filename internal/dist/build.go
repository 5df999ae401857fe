package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// platform is a machine that Hookarr is made for.
type platform struct {
	// name is the one in names of files, and nfpm is what nfpm calls it.
	name, nfpm string
	env        []string
	// mends are what does not compile there as it is.
	mends []mend
}

func platforms() []platform {
	return []platform{
		{name: "amd64", nfpm: "amd64", env: []string{"GOARCH=amd64", "GOAMD64=v1"}},
		{name: "arm64", nfpm: "arm64", env: []string{"GOARCH=arm64", "GOARM64=v8.0"}},
		{name: "armv7", nfpm: "arm7", env: []string{"GOARCH=arm", "GOARM=7"}, mends: []mend{{
			module: "github.com/riverqueue/river/riverdriver/riversqlite", file: "river_sqlite_driver.go",
			old: "min(params.MaxAttempts, math.MaxInt64)", new: "params.MaxAttempts", // an int of 32 bits
		}}},
	}
}

// platformsOf returns those of the names, and all when none is named.
func platformsOf(names []string) ([]platform, error) {
	all := platforms()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []platform
	for _, name := range names {
		i := slices.IndexFunc(all, func(p platform) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s is not made: DIST_ARCHES may have amd64, arm64 and armv7", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// tree is what was built for a platform: files is what the archive holds, and packages what
// only packages hold.
type tree struct {
	platform
	files, packages string
	// version is without a leading v.
	version string
	infos   []*buildinfo.BuildInfo
}

// pluginsFile is the binary of the built-in plugins, beside the links that bear their names.
const pluginsFile = "hookarr-plugins"

// binaries are below files, in the order of infos.
func (t *tree) binaries() []string { return []string{"hookarr", "plugins/" + pluginsFile} }

// setting is what a binary says of its build.
func setting(info *buildinfo.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// compile builds the binaries and reads from them what they are.
func (r *release) compile(ctx context.Context, p platform, dir string) (*tree, error) {
	t := &tree{platform: p, files: filepath.Join(dir, "files"), packages: filepath.Join(dir, "packages")}
	packages := []string{"./cmd/hookarr", "./plugins"}
	env := append([]string{"CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GODEBUG="}, p.env...)
	modfile, err := r.mend(ctx, p.mends, filepath.Join(dir, "mended"))
	if err != nil {
		return nil, err
	}
	for i, name := range t.binaries() {
		path := filepath.Join(t.files, name)
		if err := r.command(ctx, r.root, r.log, env, "sh", "-c", r.build+` -buildvcs=true $2 -o "$0" "$1"`, path, packages[i], modfile); err != nil {
			return nil, err
		}
	}
	if err := t.read(); err != nil {
		return nil, err
	}
	for _, plugin := range r.plugins {
		if err := os.Symlink(pluginsFile, filepath.Join(t.files, "plugins", "hookarr-"+plugin)); err != nil {
			return nil, fmt.Errorf("link plugin: %w", err)
		}
	}
	if !strings.HasPrefix(t.infos[0].Main.Version, "v") {
		return nil, errors.New("the binaries do not know their commit: make them in a clone, not in a work tree beside one")
	}
	return t, nil
}

// read has the binaries say what is in them.
func (t *tree) read() error {
	for _, name := range t.binaries() {
		info, err := buildinfo.ReadFile(filepath.Join(t.files, name))
		if err != nil {
			return fmt.Errorf("read what was built: %w", err)
		}
		t.infos = append(t.infos, info)
	}
	t.version = strings.TrimPrefix(t.infos[0].Main.Version, "v")
	return nil
}
