package pluginnew

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/hookarr/hookarr/sdk"
)

// sdkPath is the path of the SDK's module.
const sdkPath = hookarrPath + "/sdk"

// goVersion is the oldest that the SDK is built with.
const goVersion = "1.26.0"

// SDK is what a module gets its SDK from.
type SDK struct {
	// Version is that of the module, with a v.
	Version string
	// Dir is a directory that has the SDK, absolute; empty is the released version.
	Dir string
}

// ReleasedSDK is the SDK that belongs to a release of Hookarr.
func ReleasedSDK() SDK { return SDK{Version: "v" + sdk.Version} }

// Release returns the tag of the release that a program is, or nothing for what is built
// in between.
func Release(b *debug.BuildInfo) string {
	v := b.Main.Version
	if module.Check(hookarrPath, v) != nil || module.IsPseudoVersion(v) || module.CanonicalVersion(v) != v {
		return ""
	}
	return v
}

// ErrNoSDK is what a directory is refused with that has no SDK.
var ErrNoSDK = errors.New("there is no go.mod of " + sdkPath)

// OpenSDK returns the SDK in dir: its own directory, or that of a checkout of Hookarr. The
// error is ErrNoSDK if there is none.
func OpenSDK(dir string) (SDK, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return SDK{}, fmt.Errorf("find the SDK: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "sdk")} {
		data, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && modfile.ModulePath(data) == sdkPath {
			return SDK{Version: ReleasedSDK().Version, Dir: d}, nil
		}
	}
	if _, err := os.Stat(dir); err != nil {
		return SDK{}, fmt.Errorf("find the SDK: %w", err)
	}
	return SDK{}, ErrNoSDK
}

// FindSDK looks for a checkout of Hookarr in directories and above them. The error is
// ErrNoSDK if there is none.
func FindSDK(dirs ...string) (SDK, error) {
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return SDK{}, fmt.Errorf("find the SDK: %w", err)
		}
		for up := filepath.Dir(dir); ; dir, up = up, filepath.Dir(up) {
			if found, err := OpenSDK(dir); err == nil {
				return found, nil
			}
			if dir == up {
				break
			}
		}
	}
	return SDK{}, ErrNoSDK
}

// Around returns where a checkout of Hookarr may be: around this program, around the working
// directory, and where this program was built, unless that was with -trimpath.
func Around() []string {
	var dirs []string
	if program, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(program))
	}
	if here, err := os.Getwd(); err == nil {
		dirs = append(dirs, here)
	}
	if _, built, _, ok := runtime.Caller(0); ok && filepath.IsAbs(built) {
		dirs = append(dirs, filepath.Dir(built))
	}
	return dirs
}
