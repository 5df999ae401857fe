package main

import (
	"strings"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

// native are the event types by what the Arr applications call them in their webhooks
// (MovieFileDelete) and in their settings (On Movie File Delete), in lower case and
// without what the applications have different words for.
var native = map[string][]sdk.Type{
	"grab":                      {sdk.TypeReleaseGrabbed},
	"download":                  {sdk.TypeMediaImported, sdk.TypeMediaUpgraded},
	"import":                    {sdk.TypeMediaImported, sdk.TypeMediaUpgraded},
	"fileimport":                {sdk.TypeMediaImported},
	"releaseimport":             {sdk.TypeMediaImported},
	"upgrade":                   {sdk.TypeMediaUpgraded},
	"fileupgrade":               {sdk.TypeMediaUpgraded},
	"importcomplete":            {sdk.TypeImportCompleted},
	"importfailure":             {sdk.TypeImportFailed},
	"downloadfailure":           {sdk.TypeDownloadFailed},
	"downloadfailed":            {sdk.TypeDownloadFailed},
	"rename":                    {sdk.TypeFileRenamed},
	"retag":                     {sdk.TypeFileRetagged},
	"filedelete":                {sdk.TypeFileDeleted},
	"filedeleteforupgrade":      {sdk.TypeFileDeletedForUpgrade},
	"add":                       {sdk.TypeMediaAdded},
	"added":                     {sdk.TypeMediaAdded},
	"delete":                    {sdk.TypeMediaDeleted},
	"health":                    {sdk.TypeHealthIssue},
	"healthissue":               {sdk.TypeHealthIssue},
	"healthrestored":            {sdk.TypeHealthRestored},
	"applicationupdate":         {sdk.TypeAppUpdated},
	"manualinteractionrequired": {sdk.TypeManualInteractionRequired},
	"test":                      {sdk.TypeTest},
}

// neutral drops the words for what an application keeps, and what its settings join names
// by.
var neutral = strings.NewReplacer(
	"movie", "", "series", "", "episode", "", "artist", "", "album", "", "track", "", "author", "", "book", "", " ", "", "_", "", "-", "",
)

// nativeTypes returns the event types that an application's name for them stands for.
func nativeTypes(name string) []string {
	types := native[strings.TrimPrefix(neutral.Replace(strings.ToLower(name)), "on")]
	return typeNames(types)
}

// suggestType ends a message about a word that is no event type: with what it probably
// means.
func suggestType(word string) string {
	if types := nativeTypes(word); len(types) > 0 {
		return ", but is an application's own word: write " + strings.Join(types, ", ")
	}
	return config.Suggest(word, typeNames(sdk.Types()))
}

func typeNames(types []sdk.Type) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return names
}
