require "base64"
require "openssl"

TOLERANCE_SECONDS = 300

class NotTrusted < StandardError; end

# Verifies a webhook and returns its id, the key for deduplication. Raises NotTrusted.
#
# headers: names in lower case. raw_body: request.raw_post or request.body.read, never parsed params.
# secrets: one "whsec_...", or two while a secret is being rotated.
def verify_webhook(headers, raw_body, secrets, now = Time.now.to_i)
  id, timestamp, signatures = headers.values_at("webhook-id", "webhook-timestamp", "webhook-signature").map(&:to_s)
  raise NotTrusted, "a webhook header is missing" if [id, timestamp, signatures].any?(&:empty?)
  raise NotTrusted, "the timestamp is no number" unless timestamp.match?(/\A[0-9]{1,12}\z/)
  raise NotTrusted, "the timestamp is too old or in the future" if (now - timestamp.to_i).abs > TOLERANCE_SECONDS

  signed = "#{id}.#{timestamp}.".b + raw_body.b
  secrets.each do |secret|
    key = Base64.strict_decode64(secret.delete_prefix("whsec_"))
    expected = "v1," + Base64.strict_encode64(OpenSSL::HMAC.digest("SHA256", key, signed))
    signatures.split(" ", -1).each do |signature|
      return id if OpenSSL.secure_compare(signature, expected)
    end
  end
  raise NotTrusted, "no signature matches"
end
