package plugindocs

import (
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func writeFeatures(b *strings.Builder, d host.Description) {
	if len(d.Features) == 0 {
		return
	}
	b.WriteString("\n## Features\n\n| feature | what it brings |\n|---|---|\n")
	for _, f := range d.Features {
		fmt.Fprintf(b, "| %s | %s |\n", code(string(f)), brings(f, d))
	}
}

// brings says what a feature is to operators.
func brings(f sdk.Feature, d host.Description) string {
	name := d.Name
	switch f {
	case sdk.FeatureFetch:
		return "Events get what their webhooks leave out: the application is asked."
	case sdk.FeatureHistory:
		return "What happened while Hookarr was away is read from the application's history."
	case sdk.FeatureConnect:
		return fmt.Sprintf("`hookarr connect %s` sets up the webhook in the application.", name)
	case sdk.FeatureSnapshot:
		return fmt.Sprintf("`hookarr sync %s` reads the application's whole library, and changes become events.", name)
	case sdk.FeatureFolders:
		if d.Kind == host.KindSource {
			return "`hookarr paths` compares the application's folders with those of media servers."
		}
		return fmt.Sprintf("`hookarr paths %s` compares its folders with those of the applications.", name)
	case sdk.FeatureGroup:
		return "Several events can be one delivery."
	case sdk.FeatureEdit:
		return "What it has shown is edited as things go on."
	case sdk.FeatureRaw:
		return "It can pass on the application's own requests."
	case sdk.FeatureTest:
		return fmt.Sprintf("`hookarr targets test %s` proves that the endpoint takes deliveries.", name)
	case sdk.FeaturePreview:
		return fmt.Sprintf("`hookarr targets preview %s` shows what would be sent.", name)
	case sdk.FeatureVerify:
		return "A delivery ends when its effect is there, and not when it was accepted."
	case sdk.FeatureOptions:
		return fmt.Sprintf("`hookarr %ss options %s` lists the values that some settings may have.", d.Kind, name)
	default:
		return "This Hookarr makes no use of it."
	}
}
