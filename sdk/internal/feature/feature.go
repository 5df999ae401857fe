// Package feature knows the features of the wire contract by the names that authors
// and operators see: FEATURE_HISTORY is history.
package feature

import (
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

const prefix = "FEATURE_"

// Name returns the name of a feature: of one of a later version its number, and nothing for
// FEATURE_UNSPECIFIED.
func Name(f pluginv1.Feature) string {
	if f == pluginv1.Feature_FEATURE_UNSPECIFIED {
		return ""
	}
	name, ok := pluginv1.Feature_name[int32(f)]
	if !ok {
		return strconv.Itoa(int(f))
	}
	return strings.ToLower(strings.TrimPrefix(name, prefix))
}

// Of returns the feature of a name, or FEATURE_UNSPECIFIED.
func Of(name string) pluginv1.Feature {
	return pluginv1.Feature(pluginv1.Feature_value[prefix+strings.ToUpper(name)])
}
