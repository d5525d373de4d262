<?php
declare(strict_types=1);

const TOLERANCE_SECONDS = 300;

/**
 * Verifies a webhook and returns its id, the key for deduplication. Throws when it is not to be trusted.
 *
 * $headers: names in lower case. $rawBody: file_get_contents('php://input'), never a parsed body.
 * $secrets: one "whsec_...", or two while a secret is being rotated.
 */
function verify_webhook(array $headers, string $rawBody, array $secrets, ?int $now = null): string
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    $signatures = $headers['webhook-signature'] ?? '';
    if ($id === '' || $timestamp === '' || $signatures === '') {
        throw new RuntimeException('a webhook header is missing');
    }
    if (preg_match('/\A[0-9]{1,12}\z/', $timestamp) !== 1) {
        throw new RuntimeException('the timestamp is no number');
    }
    if (abs(($now ?? time()) - (int) $timestamp) > TOLERANCE_SECONDS) {
        throw new RuntimeException('the timestamp is too old or in the future');
    }

    foreach ($secrets as $secret) {
        $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$rawBody", $key, true));
        foreach (explode(' ', $signatures) as $signature) {
            if (hash_equals($expected, $signature)) {
                return $id;
            }
        }
    }
    throw new RuntimeException('no signature matches');
}
