package pluginhost

import (
	"cmp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Uses reports whether this version makes use of a feature that plugins may declare.
func Uses(f sdk.Feature) bool { return slices.Contains(used(), f) }

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
