package message

import "github.com/hookarr/hookarr/sdk"

// The colours of the kinds of event.
const (
	green  = 0x2E9E5B // something arrived
	blue   = 0x2F80ED // something is under way
	purple = 0x8E5BD0 // something got better
	grey   = 0x7A869A // housekeeping
	yellow = 0xE0A100 // look at it some day
	red    = 0xD64545 // look at it now
)

type style struct {
	headline, emoji string
	color           int
}

func styleOf(e sdk.Event) style {
	switch e.Type {
	case sdk.TypeTest:
		return style{"Test message", "🔔", blue}
	case sdk.TypeReleaseGrabbed:
		return style{"Release grabbed", "📥", blue}
	case sdk.TypeMediaImported:
		return style{noun(e) + " imported", "✅", green}
	case sdk.TypeMediaUpgraded:
		return style{noun(e) + " upgraded", "✨", purple}
	case sdk.TypeImportCompleted:
		return style{"Import completed", "✅", green}
	case sdk.TypeImportFailed:
		return style{"Import failed", "❌", red}
	case sdk.TypeDownloadFailed:
		return style{"Download failed", "❌", red}
	case sdk.TypeFileRenamed:
		return style{plural(len(e.RenamedFiles), "File", "Files") + " renamed", "✏️", grey}
	case sdk.TypeFileRetagged:
		return style{plural(len(e.Files), "File", "Files") + " retagged", "🏷️", grey}
	case sdk.TypeFileDeleted:
		return style{plural(len(e.DeletedFiles), "File", "Files") + " deleted", "🗑️", yellow}
	case sdk.TypeFileDeletedForUpgrade:
		return style{plural(len(e.DeletedFiles), "File", "Files") + " replaced by an upgrade", "♻️", grey}
	case sdk.TypeMediaAdded:
		return style{noun(e) + " added", "➕", blue}
	case sdk.TypeMediaDeleted:
		return style{noun(e) + " deleted", "🗑️", yellow}
	case sdk.TypeHealthIssue:
		return healthStyle(e.Health)
	case sdk.TypeHealthRestored:
		return style{"Health restored", "💚", green}
	case sdk.TypeAppUpdated:
		return style{"Application updated", "⬆️", blue}
	case sdk.TypeManualInteractionRequired:
		return style{"Manual interaction required", "✋", yellow}
	case sdk.TypeTargetHeld:
		return style{"Target on hold", "⏸️", yellow}
	case sdk.TypeTargetResumed:
		return style{"Target resumed", "▶️", green}
	case sdk.TypeDeliveryDead:
		return style{"Not delivered", "📭", red}
	case sdk.TypeInstalled:
		return style{"Connected", "👋", green}
	default:
		return style{firstLine(e.NativeType, string(e.Type), "Event"), "ℹ️", grey}
	}
}

func healthStyle(h *sdk.Health) style {
	level := ""
	if h != nil {
		level = h.Level
	}
	switch level {
	case "error":
		return style{"Health error", "🚨", red}
	case "notice":
		return style{"Health notice", "ℹ️", blue}
	default:
		return style{"Health warning", "⚠️", yellow}
	}
}

// noun names what the event is about, in the number that it has.
func noun(e sdk.Event) string {
	switch {
	case len(e.Episodes) > 0:
		return plural(len(e.Episodes), "Episode", "Episodes")
	case len(e.Albums) > 0:
		return plural(len(e.Albums), "Album", "Albums")
	case e.Media == nil:
		return "Item"
	}
	switch e.Media.Kind {
	case "movie":
		return "Movie"
	case "series":
		return "Series"
	case "artist":
		return "Artist"
	case "scene":
		return "Scene"
	default:
		return "Item"
	}
}

func plural(n int, one, many string) string {
	if n > 1 {
		return many
	}
	return one
}
