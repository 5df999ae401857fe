package message

import (
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/sdk"
)

// words say what an event tells: of one thing and of many behind a number, and of a title
// that stands before it.
type words struct{ one, many, alone string }

func wordsOf(e sdk.Event) words {
	if isRequest(e) {
		if w := requestState(e); w != "" {
			return words{"request " + w, "requests " + w, w}
		}
	}
	same := func(s string) words { return words{s, s, s} }
	switch e.Type {
	case sdk.TypeReleaseGrabbed:
		return same("grabbed")
	case sdk.TypeMediaImported, sdk.TypeImportCompleted:
		return same("imported")
	case sdk.TypeMediaUpgraded:
		return same("upgraded")
	case sdk.TypeImportFailed:
		return words{"failed import", "failed imports", "import failed"}
	case sdk.TypeDownloadFailed:
		return words{"failed download", "failed downloads", "download failed"}
	case sdk.TypeFileRenamed:
		return same("renamed")
	case sdk.TypeFileRetagged:
		return same("retagged")
	case sdk.TypeFileDeleted:
		return words{"file deleted", "files deleted", "deleted"}
	case sdk.TypeFileDeletedForUpgrade:
		return same("replaced by an upgrade")
	case sdk.TypeMediaAdded:
		return same("added")
	case sdk.TypeMediaUpdated:
		return same("updated")
	case sdk.TypeMediaDeleted:
		return same("removed")
	case sdk.TypeLibraryAvailable:
		return same("available on " + serverOf(e))
	case sdk.TypeLibraryMissing:
		return same("missing on " + serverOf(e))
	case sdk.TypeLibraryRemoved:
		return same("removed from " + serverOf(e))
	case sdk.TypeHealthIssue:
		return words{"health issue", "health issues", ""}
	case sdk.TypeHealthRestored:
		return words{"restored", "restored", "restored"}
	case sdk.TypeAppUpdated:
		return words{"application updated", "applications updated", "updated"}
	case sdk.TypeManualInteractionRequired:
		return words{"waiting for a person", "waiting for a person", "needs a person"}
	case sdk.TypeTargetHeld:
		return words{"target on hold", "targets on hold", ""}
	case sdk.TypeTargetResumed:
		return words{"target resumed", "targets resumed", "resumed"}
	case sdk.TypeDeliveryDead:
		return same("not delivered")
	case sdk.TypeSpaceLow:
		return words{"little space", "little space", ""}
	case sdk.TypeSpaceRestored:
		return words{"space again", "space again", "space again"}
	case sdk.TypePathsApart:
		return same("paths do not meet")
	case sdk.TypeInstalled:
		return same("connected")
	case sdk.TypeTest:
		return words{"test", "tests", "test"}
	default:
		return words{"other event", "other events", strings.ToLower(spelled(firstLine(e.NativeType, string(e.Type), "event")))}
	}
}

// isRequest reports whether an event is about a request for a title, as Overseerr's and
// Jellyseerr's are, and not about the title.
func isRequest(e sdk.Event) bool { return e.Media != nil && strings.EqualFold(e.Media.Kind, "request") }

// requestState is what became of a request, or empty.
func requestState(e sdk.Event) string {
	switch e.Type {
	case sdk.TypeManualInteractionRequired:
		return "pending"
	case sdk.TypeMediaAdded:
		return "approved"
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
		return "available"
	case sdk.TypeDownloadFailed, sdk.TypeImportFailed:
		return "failed"
	case sdk.TypeMediaDeleted:
		return "declined"
	default:
		return ""
	}
}

// reason is why a file was deleted, in words. The applications' own are those of
// DeleteMediaFileReason.cs in Sonarr, Radarr, Lidarr and Whisparr.
func reason(native string) string {
	switch strings.ToLower(line(native)) {
	case "missingfromdisk":
		return "missing from disk"
	case "manual":
		return "deleted by hand or by another program"
	case "upgrade":
		return "replaced by an upgrade"
	case "nolinkedepisodes":
		return "no longer linked to any episode"
	case "manualoverride":
		return "replaced by a manual import"
	default:
		return strings.ToLower(spelled(native))
	}
}

// spelled is a name of a program in words: IndexerStatusCheck is "Indexer status check",
// ISSUE_CREATED and issue.created are "Issue created". Capitals in a row stay where they are part of a name
// in camel case.
func spelled(s string) string {
	s = line(s)
	if strings.Contains(s, " ") {
		return s
	}
	if strings.ToUpper(s) == s && strings.Contains(s, "_") {
		s = strings.ToLower(s)
	}
	runes := []rune(strings.NewReplacer("_", " ", ".", " ").Replace(s))
	var b strings.Builder
	for i, r := range runes {
		nextLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if i > 0 && unicode.IsUpper(r) && runes[i-1] != ' ' {
			if nextLower || !unicode.IsUpper(runes[i-1]) {
				b.WriteByte(' ')
			}
			if nextLower {
				r = unicode.ToLower(r)
			}
		}
		if i == 0 {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
	}
	return line(b.String())
}

// repeats reports whether all words of s are among those of the others, or such as the
// source plugins of the Arr applications put around them.
func repeats(s string, others ...string) bool {
	known := map[string]bool{}
	for w := range strings.FieldsSeq(`a an and are at be by could download downloads file files finished folder
		for from import importing in is it its moved needs not of old one person reported reports renamed resolved
		retagged sent that the to track tracks updated was were which hookarr does know grabbed imported upgraded
		added deleted failed list episodes scenes warning error notice`) {
		known[w] = true
	}
	for _, o := range others {
		for _, w := range bareWords(o) {
			known[w] = true
		}
	}
	all := bareWords(s)
	for _, w := range all {
		if !known[w] {
			return false
		}
	}
	return len(all) > 0
}

// bareWords are the words of s in lower case, without what is written around them.
func bareWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// short cuts the middle out of what is too long: causes stand at the end.
func short(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	const separator = " " + ellipsis + " "
	tail := limit / 3
	head := string(runes[:limit-tail-len([]rune(separator))])
	end := string(runes[len(runes)-tail:])
	if i := strings.LastIndexByte(head, ' '); i > len(head)/2 {
		head = head[:i]
	}
	if i := strings.IndexByte(end, ' '); i >= 0 && i < len(end)/2 {
		end = end[i:]
	}
	return strings.TrimSpace(head) + separator + strings.TrimSpace(end)
}
