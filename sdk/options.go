package sdk

import "context"

// OptionLister is the power of FeatureOptions, of sources and of targets: it tells which
// values a key of the configuration may have, as the endpoint knows them.
type OptionLister interface {
	// Options asks for the values of a key that the tag hookarr:"options" marks. The instance
	// is made for this one question and closed after it, by the constructor, of a
	// configuration that may still be without the key. Options changes nothing at the
	// endpoint. An error is for people to read.
	Options(ctx context.Context, key string) ([]Option, error)
}

// Option is one value that a key may have. Of those of a key at most 1,000 are shown, the
// first ones, and value and label have at most 1 KiB.
type Option struct {
	// Value is as the configuration has it; for a list, as one entry of it.
	Value string `json:"value"`
	// Label is what people know the value by; empty for the value itself.
	Label string `json:"label,omitempty"`
}
