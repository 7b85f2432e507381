package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// readTrust reads whom the one who checks trusts: keys of a log, or a policy. keys is a vkey, or a file of vkeys, one a line.
func readTrust(keys, policyPath string) (*policy, error) {
	if policyPath != "" {
		data, err := readSmall(policyPath)
		if err != nil {
			return nil, err
		}
		trusted, err := parsePolicy(data)
		return trusted, asRefusal(policyPath, err)
	}
	vkeys := []string{keys}
	if !strings.Contains(keys, "+") || isFile(keys) {
		data, err := readSmall(keys)
		if err != nil {
			return nil, err
		}
		vkeys = linesOfKeys(string(data))
	}
	trusted := &policy{quorum: noQuorum}
	for _, vkey := range vkeys {
		key, err := logKey(vkey)
		if err != nil {
			return nil, asRefusal("-key", err)
		}
		trusted.logs = append(trusted.logs, key)
	}
	if len(trusted.logs) == 0 {
		return nil, asRefusal(keys, errors.New("there is no key in it"))
	}
	return trusted, nil
}

func isFile(path string) bool {
	status, err := os.Stat(path)
	return err == nil && status.Mode().IsRegular()
}

func linesOfKeys(text string) (vkeys []string) {
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			vkeys = append(vkeys, line)
		}
	}
	return vkeys
}

// ---------------------------------------------------------------------------------------------------------------- keys

const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
)

// vkeyOf takes a verifier key apart: <name>+<key id>+base64(type || 32 bytes), and holds the key id against it.
func vkeyOf(vkey string, kind byte) (name string, id uint32, public ed25519.PublicKey, err error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return "", 0, nil, fmt.Errorf("%.80q is no verifier key", vkey)
	}
	material, err := base64Of(parts[2])
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != kind {
		return "", 0, nil, fmt.Errorf("the key of %s is no Ed25519 key of type %02x", parts[0], kind)
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	if fmt.Sprintf("%x", digest[:4]) != parts[1] {
		return "", 0, nil, fmt.Errorf("the key id of %s is not that of its key", parts[0])
	}
	return parts[0], binary.BigEndian.Uint32(digest[:4]), material[1:], nil
}

// logKey is the key of a log, of type 01.
func logKey(vkey string) (note.Verifier, error) {
	if _, _, _, err := vkeyOf(vkey, typeEd25519); err != nil {
		return nil, err
	}
	return note.NewVerifier(vkey)
}

// cosigner verifies the cosignatures of a witness (C2SP tlog-cosignature, type 04): a signature over the text of the
// checkpoint and a time, which stands before the signature in eight bytes.
type cosigner struct {
	name   string
	id     uint32
	public ed25519.PublicKey
}

func cosignerKey(vkey string) (cosigner, error) {
	name, id, public, err := vkeyOf(vkey, typeCosignature)
	return cosigner{name, id, public}, err
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(signature)
	if seconds > math.MaxInt64 {
		return false
	}
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", seconds)), text...)
	return ed25519.Verify(c.public, message, signature[8:])
}

// sameKey is how verifiers are told apart.
type sameKey struct {
	name string
	id   uint32
}

func identityOf(key note.Verifier) sameKey {
	return sameKey{key.Name(), key.KeyHash()}
}

// --------------------------------------------------------------------------------------------------------- checkpoints

// head is a checkpoint that is trusted: which log, how many leaves, the root over them, and who says so. witnessed tells whether
// the policy asks for witnesses at all.
type head struct {
	origin       string
	size         int64
	root         tlog.Hash
	signers      []sameKey
	cosignatures []cosignature
	witnessed    bool
}

// cosignature says that a witness had seen nothing that contradicts the head, at this time.
type cosignature struct {
	key sameKey
	at  time.Time
}

const (
	maxNote       = 1_000_000
	maxSignatures = 100
)

// open checks a signed checkpoint. Lines of unknown keys are ignored; a line of a known key, by name and id, must verify.
func (p *policy) open(data []byte) (*head, error) {
	split := bytes.LastIndex(data, []byte("\n\n"))
	if len(data) > maxNote || split < 0 {
		return nil, errors.New("it is not a signed note: a text, an empty line, and signatures")
	}
	text := data[:split+1]
	found, err := checkpointOf(string(text))
	if err != nil {
		return nil, err
	}
	lines, err := linesOf(string(data[split+2:]))
	if err != nil || len(lines) == 0 || len(lines) > maxSignatures {
		return nil, fmt.Errorf("it has not from 1 to %d signature lines, each ended by a newline", maxSignatures)
	}
	signed, err := p.verified(text, lines, found.origin)
	if err != nil {
		return nil, err
	}
	if err := p.require(signed, found); err != nil {
		return nil, err
	}
	return found, nil
}

// checkpointOf reads the text of a checkpoint (C2SP tlog-checkpoint); extension lines are read over.
func checkpointOf(text string) (*head, error) {
	lines, err := linesOf(text)
	if err != nil || len(lines) < 3 {
		return nil, errors.New("a checkpoint is three lines: origin, size and root")
	}
	for _, line := range lines {
		if line == "" {
			return nil, errors.New("a checkpoint has no empty line")
		}
	}
	found := &head{origin: lines[0]}
	if found.size, err = decimalOf(lines[1]); err != nil {
		return nil, fmt.Errorf("the size of the checkpoint: %w", err)
	}
	if found.root, err = hashOf(lines[2]); err != nil {
		return nil, fmt.Errorf("the root of the checkpoint: %w", err)
	}
	return found, nil
}

// verified is who signed: the known keys of which a line is there, with the times of a witness's lines. Each line is opened
// by package note on its own, since that package looks at the first line of a key only, and a witness may sign twice.
func (p *policy) verified(text []byte, lines []string, origin string) (map[sameKey][]time.Time, error) {
	known := note.VerifierList(p.verifiers(origin)...)
	signed := make(map[sameKey][]time.Time)
	for _, line := range lines {
		words := strings.Split(line, " ")
		signature, err := base64Of(words[len(words)-1])
		if err != nil {
			return nil, fmt.Errorf("a signature: %w", err)
		}
		opened, err := note.Open([]byte(string(text)+"\n"+line+"\n"), known)
		var unknown *note.UnverifiedNoteError
		if errors.As(err, &unknown) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the checkpoint: %w", err)
		}
		by := sameKey{opened.Sigs[0].Name, opened.Sigs[0].Hash}
		var at time.Time
		if len(signature) == 4+8+ed25519.SignatureSize {
			at = time.Unix(int64(binary.BigEndian.Uint64(signature[4:])), 0).UTC()
		}
		signed[by] = append(signed[by], at)
	}
	return signed, nil
}

// verifiers are all keys that may sign checkpoints of a log, each once: its own, and the witnesses'.
func (p *policy) verifiers(origin string) []note.Verifier {
	var verifiers []note.Verifier
	seen := make(map[sameKey]bool)
	add := func(key note.Verifier) {
		if !seen[identityOf(key)] {
			seen[identityOf(key)] = true
			verifiers = append(verifiers, key)
		}
	}
	for _, key := range p.logs {
		if key.Name() == origin {
			add(key)
		}
	}
	for _, witness := range p.witnesses {
		add(witness.key)
	}
	return verifiers
}

// require holds who signed against what is asked for, and writes it down in the head.
func (p *policy) require(signed map[sameKey][]time.Time, found *head) error {
	for _, key := range p.logs {
		if key.Name() == found.origin && signed[identityOf(key)] != nil {
			found.signers = append(found.signers, identityOf(key))
		}
	}
	if len(found.signers) == 0 {
		return fmt.Errorf("no trusted key of the log %.200q signed it", found.origin)
	}
	cosigned := make(map[string]bool)
	for _, witness := range p.witnesses {
		if times := signed[identityOf(witness.key)]; len(times) > 0 {
			cosigned[witness.name] = true
			found.cosignatures = append(found.cosignatures, cosignature{identityOf(witness.key), latest(times)})
		}
	}
	found.witnessed = p.quorum != noQuorum
	if !p.isMetBy(cosigned) {
		return fmt.Errorf("%d of the %d witnesses of the policy cosigned it, which is no quorum",
			len(found.cosignatures), len(p.witnesses))
	}
	return nil
}

func latest(times []time.Time) time.Time {
	last := times[0]
	for _, each := range times {
		if each.After(last) {
			last = each
		}
	}
	return last
}

// signedBy says in a line or two who vouches for a head.
func (h *head) signedBy() []string {
	var lines []string
	for _, signer := range h.signers {
		lines = append(lines, fmt.Sprintf("signed by %s+%08x", signer.name, signer.id))
	}
	for _, each := range h.cosignatures {
		lines = append(lines, fmt.Sprintf("cosigned by %s+%08x at %s", each.key.name, each.key.id, each.at.Format(time.RFC3339)))
	}
	if h.witnessed {
		return append(lines, "the quorum of the policy is met")
	}
	return append(lines, "no witness was asked for: nobody but the log itself vouches that others are shown the same log")
}
