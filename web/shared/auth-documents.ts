/** What signing in and out sends. Only documents are exported: documents.mjs lists them. */
const VIEWER = "account { id name } user { id displayName email role } scopes";
const TOKENS = "tokens { accessToken refreshToken expiresAt }";
export const SIGN_IN = `mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    ... on SignInSuccess { ${TOKENS} viewer { ${VIEWER} } }
    ... on UserError { message }
  }
}`;
export const REFRESH = `mutation RefreshTokens($input: RefreshTokensInput!) {
  refreshTokens(input: $input) {
    ... on RefreshTokensSuccess { ${TOKENS} }
    ... on UserError { message }
  }
}`;
export const SIGN_OUT = `mutation SignOut($input: SignOutInput!) {
  signOut(input: $input) { __typename }
}`;
export const WHO_AM_I = `query WhoAmI { viewer { ${VIEWER} } }`;
