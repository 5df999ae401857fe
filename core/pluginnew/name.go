package pluginnew

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk/host"
)

// hookarrPath is the path of the module that this is.
const hookarrPath = "github.com/hookarr/hookarr"

// Kinds are the kinds of plugins.
func Kinds() []host.Kind { return []host.Kind{host.KindTarget, host.KindSource} }

// CheckName refuses what no plugin can be called, and says what would do.
func CheckName(kind host.Kind, name string) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("KIND %q: want target or source%s", kind, config.Suggest(string(kind), []string{"target", "source"}))
	}
	for _, k := range Kinds() {
		if rest, ok := strings.CutPrefix(name, fmt.Sprintf("hookarr-%s-", k)); ok {
			return fmt.Errorf("NAME %q: leave out what the file's name begins with%s", name, try(kind, rest))
		}
	}
	if !config.NamePattern.MatchString(name) {
		return fmt.Errorf("NAME %q: want 1 to 40 of a-z, 0-9 and -, beginning with a letter or digit%s", name, try(kind, near(name)))
	}
	return nil
}

// near is the name that somebody may have meant, or nothing.
func near(name string) string {
	name = regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-")
	name = strings.Trim(name, "-")
	return strings.Trim(name[:min(len(name), 40)], "-")
}

func try(kind host.Kind, name string) string {
	if !config.NamePattern.MatchString(name) {
		name = "demo"
	}
	return fmt.Sprintf(": hookarr plugins new %s %s", kind, name)
}

const ownModule = "give one of your own, such as github.com/you/hookarr-target-demo"

// CheckModule refuses what go does not build as the path of an author's module.
func CheckModule(path string) error {
	if path == hookarrPath || strings.HasPrefix(path, hookarrPath+"/") {
		return fmt.Errorf("module path %q belongs to Hookarr: %s", path, ownModule)
	}
	err := module.CheckPath(path)
	if invalid, ok := errors.AsType[*module.InvalidPathError](err); ok {
		err = invalid.Err
	}
	if err != nil {
		return fmt.Errorf("module path %q: %w: %s", path, err, ownModule)
	}
	return nil
}
