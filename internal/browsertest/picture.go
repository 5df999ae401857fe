package browsertest

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"slices"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tallest is how much of a page a picture has.
const tallest = 1100

// still lets nothing move while a picture is taken.
const still = `document.activeElement?.blur(); document.getAnimations().forEach((a) => a.finish());`

// Picture writes a picture of the page, from its top, to a PNG file of few colours.
func (p *Page) Picture(file string) {
	p.t.Helper()
	Evaluate[bool](p, still+"true")
	size := Evaluate[[]int64](p, `[document.documentElement.clientWidth, Math.ceil(document.body.getBoundingClientRect().height)]`)
	beyond := true
	var taken page.CaptureScreenshotResult
	p.do("take a picture", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return t.Call(ctx, page.CaptureScreenshot.Method, page.CaptureScreenshotParams{
			CaptureBeyondViewport: &beyond,
			Clip:                  &page.Viewport{Width: float64(size[0]), Height: float64(min(max(size[1], 400), tallest)), Scale: 1},
		}, &taken)
	}))
	small, err := fewColours(taken.Data)
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(file, small, 0o644))
}

// fewColours encodes a PNG picture anew with the 256 colours that it has most of; those
// between them, of the edges of letters, become the nearest.
func fewColours(in []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(in))
	if err != nil {
		return nil, err
	}
	bounds := full.Bounds()
	counts := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range most[:min(len(most), 256)] {
		palette = append(palette, c)
	}
	nearest := make(map[color.RGBA]uint8, len(counts))
	for c := range counts {
		nearest[c] = uint8(palette.Index(c))
	}
	small := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			small.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, small)
	return out.Bytes(), err
}
