package sdk

import (
	"context"
	"encoding/json"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk/internal/pluginv1"
)

// maxHandedBack bounds the events that one outcome hands back: one for each of the largest
// group.
const maxHandedBack = 1000

type verifyServer struct {
	pluginv1.UnimplementedVerifyServiceServer
	target *targetServer
}

// Verify implements VerifyService.
func (s *verifyServer) Verify(ctx context.Context, req *pluginv1.VerifyRequest) (resp *pluginv1.VerifyResponse, err error) {
	ctx, cancel := sooner(ctx)
	defer cancel()
	r := &recorder{}
	ctx = r.in(ctx)
	err = power(ctx, &s.target.server, req.GetDelivery().GetInstance(), "Verify", func(in *instance[Target], v Verifier) error {
		d, err := fromDelivery(req.GetDelivery(), true)
		if err != nil {
			return status.Error(codes.InvalidArgument, err.Error())
		}
		accepted := req.GetAccepted()
		d.Accepted = &Receipt{MessageID: accepted.GetMessageId(), State: accepted.GetState()}
		d.Final = req.GetFinal()
		receipt, err := v.Verify(ctx, d)
		resp = &pluginv1.VerifyResponse{Outcome: s.target.outcome(ctx, in, d, receipt, err)}
		if err != nil || req.GetDelivery().GetRecord() {
			resp.Outcome.Requests = r.requests(in.redactor)
		}
		return nil
	})
	return resp, err
}

// outcome writes what became of an attempt or of a question, with the events that the
// target hands back. An event that is none is the author's fault and costs the attempt
// nothing.
func (s *targetServer) outcome(ctx context.Context, in *instance[Target], d Delivery, receipt Receipt, err error) *pluginv1.DeliverResponse {
	resp := toOutcome(receipt, err, in.redactor)
	if !s.id.has(FeatureVerify) {
		resp.VerifyAfter, resp.ProveWithin, resp.Waits, resp.Redeliver = nil, nil, "", false
		return resp
	}
	for i, e := range receipt.Events {
		if i == maxHandedBack {
			in.log.WarnContext(ctx, "events left out: a target hands back at most 1000", "count", len(receipt.Events)-i)
			break
		}
		data, err := handedBack(e, d)
		if err != nil {
			in.log.ErrorContext(ctx, "event not handed back", "error", err)
			continue
		}
		resp.Events = append(resp.Events, data)
	}
	return resp
}

// handedBack completes and writes an event that a target tells. Its id is the host's to
// give.
func handedBack(e Event, d Delivery) ([]byte, error) {
	if e.App == "" {
		e.App = d.Event.App
	}
	if err := completeEvent(&e, d.Event.Source, "", OriginTarget, time.Now()); err != nil {
		return nil, err
	}
	return json.Marshal(e)
}
