package pluginhost

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Uses reports whether this version makes use of a feature that plugins may declare.
func Uses(f sdk.Feature) bool { return slices.Contains(used(), f) }

// Unknown says of each feature that this version does not know, not even by name, that the
// plugin has it.
func Unknown(features []sdk.Feature) []string {
	var messages []string
	for _, f := range features {
		if !host.Knows(f) {
			messages = append(messages, fmt.Sprintf("uses feature %s, which this Hookarr does not know: it works without it; update Hookarr to have it", f))
		}
	}
	return messages
}

// used are the features that this version makes use of.
func used() []sdk.Feature {
	return []sdk.Feature{
		sdk.FeatureFetch, sdk.FeatureHistory, sdk.FeatureConnect, sdk.FeatureSnapshot, sdk.FeatureFolders, sdk.FeatureOptions,
		sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureRaw, sdk.FeatureTest, sdk.FeaturePreview,
		sdk.FeatureVerify,
	}
}

// AboutSelf is what plugins are told of this program.
func AboutSelf() sdk.HostInfo {
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		version = strings.TrimPrefix(info.Main.Version, "v")
	}
	return sdk.HostInfo{Version: cmp.Or(version, "0.0.0-devel"), Features: used()}
}
